// The theme lets the keyboard reach code that is wider than its box, but measures it only while it is folded.
document.addEventListener("toggle", event => {
  for (const box of event.target.querySelectorAll("pre")) box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1;
}, true);
