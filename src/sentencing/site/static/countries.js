// Narrows a table to the rows that hold all words typed, and sorts it by a column. Without it the table is whole.
(() => {
  const box = document.getElementById("search"), told = document.getElementById("found");
  const table = document.getElementById("table-of-countries"), body = table.tBodies[0], rows = Array.from(body.rows);
  const plain = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const texts = new Map(rows.map(row => [row, plain(row.textContent)]));
  const narrow = () => {
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    let n = 0;
    for (const row of rows) {
      row.hidden = !words.every(word => texts.get(row).includes(word));
      n += !row.hidden;
    }
    told.textContent = `${n} of ${rows.length} countries`;
  };
  // Numbers by size, before words; what was not seen comes last in either order.
  const key = (row, place) => {
    const text = row.cells[place].textContent.trim(), number = text.match(/^(?:at least |at most |about |<)?(\d+)/);
    if (/^no figure/.test(text)) return [2, ""];
    return number ? [0, Number(number[1])] : [1, plain(text)];
  };
  const sort = (place, button) => {
    const down = button.parentNode.getAttribute("aria-sort") === "ascending";
    for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
    button.parentNode.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
    rows.map(row => [key(row, place), row]).sort(([a], [b]) => {
      if (a[0] !== b[0]) return a[0] === 2 || b[0] === 2 ? a[0] - b[0] : (a[0] - b[0]) * (down ? -1 : 1);
      return order(a[1], b[1]) * (down ? -1 : 1);
    }).forEach(([, row]) => body.append(row));
  };
  Array.from(table.tHead.rows[0].cells).forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(place, button));
    head.append(button);
  });
  box.addEventListener("input", narrow);
  document.getElementById("searching").hidden = false;
  narrow();
})();
