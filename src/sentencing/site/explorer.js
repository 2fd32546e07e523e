// Lets readers choose published groups of sentenced people, and tells what share of terms is shorter than a threshold.
// It looks up shares that notebooks fitted, and counts people; it fits nothing. Texts become text nodes, never markup.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const part = name => document.getElementById(`explorer-${name}`);
  // Beyond these widths and numbers a drawing or a sentence would be too much.
  const NARROW = 540, FIGURES = 12, SENTENCES = 3;
  const start = () => ({
    countries: new Set(data.start.countries), kinds: new Set(Object.keys(data.kinds)),
    years: data.start.years, at: data.start.months,
  });
  let state = start(), groups = [], drawn = [];

  // --- Making elements ------------------------------------------------------------------------------------------
  const within = create => (tag, attributes = {}, ...children) => {
    const element = create(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const make = within(tag => document.createElement(tag));
  const draw = within(tag => document.createElementNS("http://www.w3.org/2000/svg", tag));
  const button = (text, act) => {
    const made = make("button", {type: "button"}, text);
    made.addEventListener("click", act);
    return made;
  };

  // --- Words ----------------------------------------------------------------------------------------------------
  // Halves go to the even number, as in the notebooks.
  const percent = share => {
    const exact = 100 * share, near = Math.round(exact);
    return Math.abs(exact % 1) === 0.5 && near % 2 ? near - 1 : near;
  };
  const span = (low, high) => percent(low) === percent(high) ? `${percent(low)} %` : `${percent(low)} to ${percent(high)} %`;
  const end = share => share === null ? "…" : percent(share);
  const estimate = ([share, low, high]) => `${percent(share)} % (${end(low)} to ${end(high)})`;
  const counted = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
  const months = n => counted(n, "month");
  const inYears = n => {
    const years = Math.floor(n / 12), rest = n % 12;
    return [years && counted(years, "year"), rest && months(rest)].filter(Boolean).join(" ") || "nothing";
  };
  const plain = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const named = group => `${data.countries[group.country]}, ${data.kinds[group.kind]}`;
  const people = ([fewest, most]) => fewest === most ? counted(fewest, "person", "people") : `${fewest} to ${most} people`;

  // --- What is chosen -------------------------------------------------------------------------------------------
  const sameRows = (fit, places) => fit.rows.length === places.length && fit.rows.every(place => places.includes(place));
  const choose = () => {
    const [from, to] = state.years, found = [];
    for (const country of Object.keys(data.countries)) {
      if (!state.countries.has(country)) continue;
      for (const kind of Object.keys(data.kinds)) {
        if (!state.kinds.has(kind)) continue;
        const places = data.rows.flatMap((row, place) =>
          row.c === country && row.k === kind && row.y[0] >= from && row.y[1] <= to ? [place] : []);
        if (!places.length) continue;
        const fits = data.fits.filter(fit => fit.c === country && fit.k === kind);
        const rows = places.map(place => data.rows[place]);
        rows.sort((a, b) => a.y[0] - b.y[0] || (a.lo ?? -1) - (b.lo ?? -1));
        const readings = readingsOf(rows);
        const totals = readings.map(reading => reading.map(one => one.of));
        found.push({
          country, kind, rows, fits, readings, fit: fits.find(fit => sameRows(fit, places)),
          people: [Math.min, Math.max].map(least => totals.reduce((sum, of) => sum + least(...of), 0)),
        });
      }
    }
    return found;
  };

  // --- Shares that the rows alone allow: inference/bounds.py says how and why -----------------------------------
  // For each published group its readings, one for each number of people that a printed percentage can be of.
  const readingsOf = rows => {
    const published = new Map();
    for (const row of rows) published.set(row.g, [...published.get(row.g) ?? [], row]);
    return Array.from(published.values(), own => {
      const many = Math.max(...own.map(row => row.n.length));
      const all = Array.from({length: many}, (_, i) => own.map(row => [row, row.n.length > 1 ? row.n[i] : row.n[0]]));
      return all.filter(reading => reading.every(([row, n]) => n >= atEnds(row)))
        .map(reading => Object.assign(reading, {of: reading.reduce((sum, [, n]) => sum + n, 0)}));
    });
  };
  const got = (row, letter) => row.f.includes("A") && row.f.includes(letter) ? 1 : 0;
  const atEnds = row => row.lo === row.hi ? Math.max(got(row, "L"), got(row, "H")) : got(row, "L") + got(row, "H");
  // Fewest and most of n people whose term is shorter, or longer, than a threshold.
  const counts = {
    shorter: (row, n, at) => {
      const [low, high] = bounds(row);
      if (high < at || (high === at && row.f.includes("h"))) return [n, n];
      return low >= at ? [0, 0] : [got(row, "L"), n - got(row, "H")];
    },
    longer: (row, n, at) => {
      const [low, high] = bounds(row);
      if (low > at || (low === at && row.f.includes("l"))) return [n, n];
      return high <= at ? [0, 0] : [got(row, "H"), n - got(row, "L")];
    },
  };
  // An average bounds nobody's term; a term for life is longer than any threshold.
  const bounds = row => row.f.includes("m") ? [-Infinity, Infinity]
    : [row.f.includes("u") ? data.life_months : row.lo ?? -Infinity, row.hi ?? Infinity];
  const leastRatio = parts => {
    const ratio = chosen => {
      const of = chosen.reduce((sum, one) => sum + one.of, 0);
      return of ? chosen.reduce((sum, one) => sum + one.in, 0) / of : Infinity;
    };
    const best = value => parts.map(part => part.reduce((a, b) => value(b) < value(a) ? b : a));
    let least = ratio(best(one => -one.of));
    for (;;) {
      const better = ratio(best(one => one.in - least * one.of));
      if (!(better < least)) return least;
      least = better;
    }
  };
  const allowed = (group, side, at) => {
    const inside = group.readings.map(reading => reading.map(one => {
      const ends = one.map(([row, n]) => counts[side](row, n, at));
      return {of: one.of, fewest: ends.reduce((sum, e) => sum + e[0], 0), most: ends.reduce((sum, e) => sum + e[1], 0)};
    }));
    const extreme = (name, sign) =>
      sign * leastRatio(inside.map(part => part.map(one => ({of: one.of, in: sign * one[name]}))));
    return [extreme("fewest", 1), extreme("most", -1) + 0];
  };

  // --- Shares by the curve of a fit: share, low, high ------------------------------------------------------------
  const fitted = {
    shorter: (fit, at) => fit.curve.map(column => {
      const place = at / fit.step, before = Math.floor(place), rest = place - before;
      const [a, b] = [column[before], rest ? column[before + 1] : 0];
      return a === null || b === null ? null : a + rest * (b - a);
    }),
    // Terms longer than t are those not shorter than t and a step of the grid.
    longer: (fit, at) => {
      const [share, low, high] = fitted.shorter(fit, at + fit.grid).map(value => value === null ? null : 1 - value);
      return [share, high, low];
    },
  };

  // --- Answers --------------------------------------------------------------------------------------------------
  const sentence = group => {
    const [low, high] = allowed(group, "shorter", state.at), alone = `${span(low, high)} by the published figures alone`;
    if (!group.fit?.curve) return `${named(group)}: ${alone}.`;
    return `${named(group)}: ${estimate(fitted.shorter(group.fit, state.at))} by the fitted curve, ${alone}.`;
  };
  const answer = () => {
    const told = groups.slice(0, SENTENCES).map(sentence), more = groups.length - told.length;
    const why = !state.countries.size ? "Choose a country." : !state.kinds.size ? "Choose a kind of source."
      : "Nothing that can be used is published for this choice.";
    const head = `Shorter than ${months(state.at)}: `;
    part("answer").textContent = !groups.length ? why
      : head + told.join(" ") + (more ? ` ${more} more in the table.` : "");
    const heads = ["kind of source", "people", ...["shorter", "longer"].flatMap(side =>
      [`${side} than ${months(state.at)}: published figures alone`, `${side}: fitted curve (95 % interval)`])];
    const rows = groups.map(group => {
      const cells = [people(group.people), ...["shorter", "longer"].flatMap(side =>
        [span(...allowed(group, side, state.at)), group.fit?.curve ? estimate(fitted[side](group.fit, state.at)) : "no curve"])];
      return make("tr", {}, make("th", {scope: "row"}, named(group)),
        ...cells.map((cell, i) => make("td", {"data-label": heads[i + 1]}, make("span", {}, cell))));
    });
    part("answers").replaceChildren(...groups.length ? [table(heads, rows, "Answers")] : []);
    part("answers").hidden = !groups.length;
    part("years").textContent = `= ${inYears(state.at)}`;
    part("range").value = state.at;
    part("range").setAttribute("aria-valuetext", `${months(state.at)}, ${inYears(state.at)}`);
    if (document.activeElement !== part("months")) part("months").value = state.at;
    for (const move of drawn) move();
  };
  const table = (heads, rows, label) => make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": label},
    make("table", {}, make("thead", {}, make("tr", {}, ...heads.map(head => make("th", {scope: "col"}, head)))),
      make("tbody", {}, ...rows)));

  // --- Figures --------------------------------------------------------------------------------------------------
  const MARKS = {
    monitor: r => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    official: r => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
    publicised: r => `M0 ${-1.25 * r}L${1.25 * r} 0L0 ${1.25 * r}L${-1.25 * r} 0z`,
    other: r => `M${-r} 0h${2 * r}M0 ${-r}v${2 * r}`,
  };
  const figure = (group, width) => {
    const narrow = width < NARROW, left = narrow ? 46 : 215, right = width - 16, top = narrow ? 38 : 20, foot = top + 130;
    const step = narrow ? 34 : 21, first = foot + 46, height = first + step * group.rows.length;
    const x = at => left + (right - left) * Math.min(at, data.largest_months) / data.largest_months;
    const y = share => foot - (foot - top) * share;
    const svg = draw("svg", {width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label":
      `${named(group)}: ${counted(group.rows.length, "row")} of ${people(group.people)} as bars and points by months of ` +
      `prison${group.fit?.curve ? ", and the fitted curve" : ""}. The table below has the same rows.`});
    const add = (tag, attributes, ...text) => svg.appendChild(draw(tag, attributes, ...text));
    for (let at = 0; at <= data.largest_months; at += narrow ? 48 : 24) {
      add("line", {class: "grid", x1: x(at), x2: x(at), y1: top, y2: height});
      add("text", {x: x(at), y: foot + 16, "text-anchor": "middle"}, at);
    }
    add("text", {x: (left + right) / 2, y: foot + 32, "text-anchor": "middle"}, "months of prison");
    for (const share of [0, 0.5, 1]) {
      add("line", {class: "grid", x1: left, x2: right, y1: y(share), y2: y(share)});
      add("text", {x: left - 5, y: y(share) + 4, "text-anchor": "end"}, `${percent(share)} %`);
    }
    if (!narrow) ["share of", "shorter terms"].forEach((text, i) => add("text", {x: 0, y: top + 50 + 15 * i}, text));
    else add("text", {x: 0, y: 12}, "share of shorter terms");
    add("path", {class: "allowed", d: steps(group, x, y)});
    const curve = group.fit?.curve && curveOf(group.fit, x, y);
    if (curve) for (const [name, d] of Object.entries(curve)) add("path", {class: name, d});
    const line = add("line", {class: "at", y1: top - 4, y2: height}), label = add("text", {class: "at", y: top - 8});
    group.rows.forEach((row, i) => rowMarks(row, group.kind, x, first + step * i + (narrow ? 20 : 6), narrow, add));
    const reach = curve && add("line", {class: "reach"}), dot = curve && add("circle", {class: "dot", r: 5});
    svg.addEventListener("click", event => {
      const at = (event.clientX - svg.getBoundingClientRect().left - left) / (right - left) * data.largest_months;
      if (at >= 0 && at <= data.largest_months) setThreshold(Math.round(at));
    });
    const move = () => {
      const place = x(state.at);
      for (const name of ["x1", "x2"]) line.setAttribute(name, place);
      label.setAttribute("text-anchor", place > (left + right) / 2 ? "end" : "start");
      label.setAttribute("x", place);
      label.textContent = months(state.at);
      if (!curve) return;
      const [share, low, high] = fitted.shorter(group.fit, state.at);
      dot.setAttribute("cx", place);
      dot.setAttribute("cy", y(share));
      for (const [name, value] of [["x1", place], ["x2", place], ["y1", y(low ?? 0)], ["y2", y(high ?? 1)]]) reach.setAttribute(name, value);
    };
    drawn.push(move);
    return svg;
  };
  // The smallest and the largest share at every whole month; a share jumps just after a term that somebody got.
  const steps = (group, x, y) => {
    const ends = Array.from({length: data.largest_months + 1}, (_, at) => allowed(group, "shorter", at));
    const edge = side => ends.map((pair, at) => [x(at), y(pair[side])]);
    const [lower, upper] = [edge(0), edge(1)];
    const ahead = upper.map(([px, py], at) => at ? `V${py}H${px}` : `M${px} ${py}`).join("");
    const back = lower.reverse().map(([px, py], i) => i ? `H${px}V${py}` : `L${px} ${py}`).join("");
    return `${ahead}${back}z`;
  };
  const curveOf = (fit, x, y) => {
    const points = fit.curve[0].map((_, i) => i * fit.step).filter(at => at <= data.largest_months)
      .map(at => [x(at), ...fitted.shorter(fit, at)]);
    const path = pairs => pairs.map(([px, share], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${y(share).toFixed(1)}`).join("");
    const ends = points.filter(([, , low, high]) => low !== null && high !== null);
    const band = [...ends.map(([px, , low]) => [px, low]), ...ends.map(([px, , , high]) => [px, high]).reverse()];
    return {band: band.length ? `${path(band)}z` : "", curve: path(points.map(([px, share]) => [px, share]))};
  };
  const rowMarks = (row, kind, x, place, narrow, add) => {
    const size = Math.min(3 + 1.3 * Math.sqrt(row.n[0]), 13), most = data.largest_months, mean = row.f.includes("m");
    const mark = (at, r, hollow) => add("path", {class: hollow ? "mark hollow" : "mark", d: MARKS[kind](r), transform: `translate(${x(at)} ${place})`});
    const open = (at, way) => add("path", {class: "mark", d: `M0 -5L${5 * way} 0L0 5z`, transform: `translate(${x(at)} ${place})`});
    const years = row.y[0] === row.y[1] ? row.y[0] : `${row.y[0]}–${row.y[1]}`;
    add("text", {x: narrow ? x(0) : 0, y: narrow ? place - 11 : place + 4}, `${years}: ${row.p}`);
    if (row.lo === undefined && row.hi === undefined) {
      add("text", {x: x(most) - 6, y: place + 4, "text-anchor": "end"}, row.t);
      return open(most, 1);
    }
    if (row.lo === row.hi) {
      if (row.lo <= most) return mark(row.lo, Math.min(size, 7), mean);
      add("text", {x: x(most) - 6, y: place + 4, "text-anchor": "end"}, `${row.lo}`);
      return open(most, 1);
    }
    const [low, high] = [row.lo ?? 0, row.hi ?? Infinity];
    add("line", {class: "bar", x1: x(low), x2: x(high), y1: place, y2: place, "stroke-width": mean ? 1.5 : size});
    for (const [at, bound, letter, way] of [[low, row.lo, "L", -1], [high, row.hi, "H", 1]]) {
      if (bound === undefined || at > most) open(at, way);
      else if (row.f.includes(letter)) mark(at, 4.5, false);
      else add("line", {class: "edge", x1: x(at), x2: x(at), y1: place - 6, y2: place + 6});
    }
  };

  // --- Sections, one for each kind of source in each country -----------------------------------------------------
  const link = (address, text) => make("a", {href: address}, text);
  const note = group => {
    const {fit} = group, told = fit && link(data.links[fit.notebook], fit.notebook === "serbia" ? "Sentences in Serbia" : "Sentences across countries");
    if (fit?.curve) {
      const words = fit.own === undefined
        ? `Curve: ${fit.family}, fitted to these people alone, with its 95 % profile interval at each threshold. `
        : `Curve: ${fit.family}, from a model that draws each country towards the others; ${fit.own > 0.99 ? "more than 99" : percent(fit.own)} % of what is known of this one's level is its own. The interval is that of this level alone, and too short. `;
      return [make("p", {class: "note"}, words, "From ", told, ".")];
    }
    if (fit) return [make("p", {class: "note"}, `No curve: ${fit.why}. See `, told, ".")];
    const others = group.fits.filter(other => other.curve);
    const why = group.fits.length ? "none was fitted to the rows of these years. " : "none was fitted to this kind of source in this country. ";
    return [make("p", {class: "note"}, `No curve: ${why}`, ...others.map(other =>
      button(`Show ${other.years[0]} to ${other.years[1]}, which has one`, () => set({years: other.years}))))];
  };
  const rowsTable = group => table(["years", "people", "term", "sources"], group.rows.map(row => make("tr", {},
    make("td", {}, row.y[0] === row.y[1] ? `${row.y[0]}` : `${row.y[0]} to ${row.y[1]}`), make("td", {}, row.p), make("td", {}, row.t),
    make("td", {}, ...row.s.flatMap((place, i) => {
      const [id, label] = data.sources[place];
      return [...i ? ["; "] : [], link(`${data.links.sources}#${encodeURIComponent(id)}`, label)];
    })))), `Rows: ${named(group)}`);
  const opened = new Set();
  const section = (group, i, width) => {
    const key = `${group.country} ${group.kind}`;
    const rows = make("details", opened.has(key) ? {open: ""} : {},
      make("summary", {}, `The ${counted(group.rows.length, "row")} as a table, with sources`), rowsTable(group));
    rows.addEventListener("toggle", () => rows.open ? opened.add(key) : opened.delete(key));
    return make("section", {class: `kind-${group.kind}`, "aria-labelledby": `explorer-group-${i}`},
      make("h3", {id: `explorer-group-${i}`}, named(group)), figure(group, width), ...note(group), rows);
  };

  const show = () => {
    groups = choose();
    drawn = [];
    const width = Math.max(Math.floor(part("figures").clientWidth), 240), shown = groups.slice(0, FIGURES);
    part("figures").replaceChildren(...shown.map((group, i) => section(group, i, width)));
    if (groups.length > FIGURES) part("figures").append(make("p", {class: "note"},
      `Drawn are the first ${FIGURES} of ${groups.length}; choose fewer countries or kinds to see the others.`));
    part("legend").hidden = !groups.length;
    const names = [...state.countries].map(country => data.countries[country]).sort();
    part("chosen").textContent = names.length > 4 ? `${names.length} chosen` : names.join(", ") || "none chosen";
    for (const box of document.querySelectorAll("#explorer-form input[type=checkbox]"))
      box.checked = state[box.name].has(box.value);
    ["from", "to"].forEach((name, i) => {
      if (document.activeElement !== part(name)) part(name).value = state.years[i];
    });
    answer();
  };

  // --- The address remembers the choice, so that it can be passed on ----------------------------------------------
  let waiting;
  const remember = () => {
    clearTimeout(waiting);
    const kinds = [...state.kinds].join("."), countries = [...state.countries].join(".");
    // Browsers refuse many changes in a short time, as of a slider that is drawn along.
    waiting = setTimeout(() => history.replaceState(null, "",
      `#c=${countries}&k=${kinds}&y=${state.years.join("-")}&t=${state.at}`), 200);
  };
  const whole = (text, low, high) => /^\d+$/.test(text) ? Math.min(Math.max(Number(text), low), high) : null;
  const recall = () => {
    const given = new URLSearchParams(location.hash.slice(1)), next = start();
    const known = (name, all) => new Set((given.get(name) ?? "").split(".").filter(key => Object.hasOwn(all, key)));
    if (given.has("c")) next.countries = known("c", data.countries);
    if (given.has("k")) next.kinds = known("k", data.kinds);
    const years = (given.get("y") ?? "").split("-").map(year => whole(year, ...data.years));
    if (years.length === 2 && !years.includes(null)) next.years = years;
    next.at = whole(given.get("t") ?? "", 0, data.largest_months) ?? next.at;
    return next;
  };
  const set = change => {
    Object.assign(state, change);
    show();
    remember();
  };
  const setThreshold = at => {
    state.at = at;
    answer();
    remember();
  };

  // --- Controls -------------------------------------------------------------------------------------------------
  const box = (name, value, text) => {
    const input = make("input", {type: "checkbox", name, value});
    input.addEventListener("change", () => {
      const chosen = new Set(state[name]);
      if (input.checked) chosen.add(value); else chosen.delete(value);
      set({[name]: chosen});
    });
    return make("label", {}, input, ` ${text}`);
  };
  const rowsOf = country => data.rows.filter(row => row.c === country).length;
  const countries = Object.entries(data.countries).map(([code, name]) => box("countries", code, `${name} (${counted(rowsOf(code), "row")})`));
  part("countries").append(...countries);
  part("kinds").append(...Object.entries(data.kinds).map(([kind, label]) => box("kinds", kind, label)));
  part("find").addEventListener("input", () => {
    const words = plain(part("find").value).split(/\s+/).filter(Boolean);
    for (const label of countries) label.hidden = !words.every(word => plain(label.textContent).includes(word));
    part("found").textContent = `${countries.filter(label => !label.hidden).length} of ${countries.length}`;
  });
  part("none").addEventListener("click", () => set({countries: new Set()}));
  part("reset").addEventListener("click", () => {
    clearTimeout(waiting);
    history.replaceState(null, "", location.pathname + location.search);
    state = start();
    show();
  });
  for (const name of ["range", "months"]) part(name).addEventListener("input", event => {
    const at = whole(event.target.value, 0, data.largest_months);
    if (at !== null) setThreshold(at);
  });
  ["from", "to"].forEach((name, i) => part(name).addEventListener("change", () => {
    const year = whole(part(name).value, ...data.years), years = [...state.years];
    if (year !== null) years[i] = year;
    set({years});
  }));
  for (const name of ["months", "from", "to"]) part(name).addEventListener("blur", () => {
    part(name).value = {months: state.at, from: state.years[0], to: state.years[1]}[name];
  });
  part("form").addEventListener("submit", event => event.preventDefault());
  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return;
    state = recall();
    show();
  });
  let last = 0;
  new ResizeObserver(() => {
    const now = part("figures").clientWidth;
    if (now !== last) show();
    last = now;
  }).observe(part("figures"));
  part("form").hidden = part("threshold").hidden = false;
  last = part("figures").clientWidth;
  state = recall();
  show();
})();
