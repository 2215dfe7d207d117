// The page itself: filters, table, and the curve that is shown.
const DASH = "–";
const form = byId("filters");

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function written(value) {
  if (value === null || value === "") { return DASH; }
  if (typeof value !== "number") { return value; }
  if (!Number.isFinite(value)) { return value > 0 ? "∞" : "−∞"; }
  // Below this a probability or weight says "none", and its digits say nothing.
  if (value > 0 && value < 1e-4) { return "< 0.0001"; }
  return String(Number(value.toPrecision(3 + (Math.abs(value) >= 10)))).replace("-", "−");
}

// 9.48 is 3.02B, parameters being kept as their log10.
function sizeName(log10) {
  if (log10 === null) { return DASH; }
  const [power, letter] = [[12, "T"], [9, "B"], [6, "M"], [3, "k"], [0, ""]].find(([least]) => log10 >= least) ?? [0, ""];
  return (10 ** (log10 - power)).toPrecision(3) + letter;
}

function labelOf(row) {
  const [task, subtask, metric, family, shots] = keys.map((key) => cell(key, row));
  return [subtask ? `${task}: ${subtask}` : task, metric, family, shots && `${shots}-shot`].filter(Boolean).join(", ");
}

const linkTo = (row) => `#curve=${encodeURIComponent(nameOf(row))}`;

const save = (name, url) => make("a", { href: url, download: name }).click();

const fileName = (row) => nameOf(row).replace(/[^\w.+-]+/g, "_");

// Find -----------------------------------------------------------------------------------------

function wanted() {
  const data = new FormData(form);
  const chosen = [...form.querySelectorAll("select")].map((select) => [select.name, select.value]);
  return { words: data.get("words"), task: data.get("task"), exact: chosen.filter(([, text]) => text) };
}

function offerChoices() {
  const option = (text) => make("option", { value: text }, text);
  for (const select of form.querySelectorAll("select")) {
    select.append(...columns[select.name].words.filter(Boolean).map(option));
  }
  byId("tasks").append(...columns.task.words.map(option));
}

let found = matching(wanted());

const tableColumns = [
  { title: "task", className: "dt-left", data: (row) => row, createdCell: (td, row) => {
    td.replaceChildren(make("a", { href: linkTo(row) }, [cell("task", row), cell("subtask", row)].filter(Boolean).join(": ")));
  } },
  ...facts.shown.map((head) => ({
    title: head, className: columns[head].values ? "number" : "dt-left", data: (row) => row,
    createdCell: (td, row) => { td.textContent = (head === "location" ? sizeName : written)(cell(head, row)); },
  })),
];

// DataTables asks for one page of rows; it is answered from the columns, so rows are never built.
function answer(request, reply) {
  const [{ column, dir }] = request.order.length ? request.order : [{ column: 0, dir: "asc" }];
  const head = column === 0 ? "task" : facts.shown[column - 1];
  found = sorted(found, head, dir === "desc" ? -1 : 1);
  reply({
    draw: request.draw, recordsTotal: total, recordsFiltered: found.length,
    data: found.slice(request.start, request.start + request.length),
  });
}

async function showTable() {
  const { default: DataTable } = await library("table-library");
  const table = new DataTable("#curves", {
    serverSide: true, ajax: answer, searching: false, autoWidth: false, pageLength: 10, columns: tableColumns,
    order: [[1 + facts.shown.indexOf("P(sharp)"), "desc"]],
    layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: "paging" },
  });
  const refilter = () => {
    found = matching(wanted());
    byId("count").textContent = `${found.length.toLocaleString("en")} of ${total.toLocaleString("en")} curves`;
    table.ajax.reload();
  };
  form.addEventListener("input", refilter);
  form.addEventListener("reset", () => setTimeout(refilter));
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("csv").addEventListener("click", () => {
    save(`${facts.benchmark}.curves.csv`, URL.createObjectURL(new Blob([csv(found)], { type: "text/csv" })));
  });
  refilter();
}

// Show -----------------------------------------------------------------------------------------

function reason(row) {
  const verdict = cell("verdict", row);
  if (cell("sizes", row) < facts.minSizes) {
    return `${verdict}: it has ${cell("sizes", row)} sizes, and no verdict is given below ${facts.minSizes}.`;
  }
  const rule = facts.rules.find((one) => one.verdict === verdict);
  if (!rule) { return `${verdict}: no verdict has all its conditions met.`; }
  const said = rule.needs.map(([head, words, least]) => `${words} is ${written(cell(head, row))}, above ${least}`);
  return `${verdict}: ${said.join("; ")}.`;
}

function fill(table, head, rows) {
  const line = (cells, tag) => make("tr", {}, ...cells.map((text, i) =>
    make(i && tag === "td" ? "td" : "th", i && tag === "td" ? {} : { scope: tag === "td" ? "row" : "col" }, text)));
  table.querySelectorAll("thead, tbody").forEach((part) => part.remove());
  table.append(make("thead", {}, line(head, "th")), make("tbody", {}, ...rows.map((cells) => line(cells, "td"))));
}

function showNumbers(row) {
  const conditions = facts.rules.flatMap(({ verdict, needs }) => needs.map(([head, words, least]) => {
    const value = cell(head, row);
    return [verdict, words, written(value), `> ${least}`, value > least ? "yes" : "no"];
  }));
  fill(byId("conditions"), ["verdict", "condition", "probability", "needed", "met"], conditions);
  const write = { width: (x) => `${written(x)} decades`, location: sizeName, jump: written };
  const interval = (head) => [head, ...[head, `${head} 5 %`, `${head} 95 %`].map((one) => write[head](cell(one, row)))];
  fill(byId("measures"), ["measure", "median", "5 %", "95 %"], Object.keys(write).map(interval));
  fill(byId("facts-of-curve"), ["column", "value"], heads.map((head) => [head, written(cell(head, row))]));
}

const chosen = () => [...byId("candidates").querySelectorAll(":checked")].map((box) => box.value);

async function figure(row, relation) {
  const curve = await pointsOf(row);
  const label = labelOf(row);
  const place = make("div", { className: "card" });
  const found = `${cell("verdict", row)}, P(sharp) ${written(cell("P(sharp)", row))}, width ${written(cell("width", row))} decades`
    + ` (${written(cell("width 5 %", row))} to ${written(cell("width 95 %", row))})`;
  const weights = facts.candidates.map((name, i) => `${name} ${written(curve.weights[i])}`).join(", ");
  const buttons = ["svg", "png"].map((kind) => make("button", { type: "button" }, `Save as ${kind.toUpperCase()}`));
  const element = make("figure", {},
    make("h3", {}, relation ? make("a", { href: linkTo(row) }, cell("metric", row)) : cell("metric", row)),
    place,
    make("figcaption", {}, `${relation ? `${relation}. ` : ""}${found}. Weights: ${weights}.`),
    ...buttons);
  element.redraw = async () => {
    const description = `${label}: ${curve.score.length} scores from ${written(curve.score[0])} at the smallest to ${written(curve.score.at(-1))} at the largest model. ${found}.`;
    const view = await draw(place, chart(curve, {
      metric: cell("metric", row), reverse: cell("direction", row) === "down", candidates: chosen(), description,
    }));
    buttons.forEach((button, i) => {
      button.onclick = async () => save(`${fileName(row)}.${["svg", "png"][i]}`, await view.toImageURL(["svg", "png"][i], 2));
    });
  };
  await element.redraw();
  return element;
}

let showing = 0;
async function show(row) {
  const mine = (showing += 1);
  byId("shown-title").textContent = labelOf(row);
  byId("verdict").textContent = reason(row);
  showNumbers(row);
  const others = siblings(row).map((other) =>
    figure(other.row, other.sameOutputs ? "Same outputs" : "Same models, asked differently"));
  const figures = await Promise.all([figure(row, ""), ...others]);
  // Another curve may have been chosen while this one was drawn.
  if (mine === showing) { byId("charts").replaceChildren(...figures); }
}

async function follow() {
  if (!location.hash.startsWith("#curve=")) { return; }
  const name = decodeURIComponent(location.hash.slice("#curve=".length));
  const row = rowOf(name);
  byId("trouble").hidden = row >= 0;
  if (row < 0) {
    byId("trouble").textContent = `There is no curve ${name} here.`;
    return;
  }
  await show(row);
  byId("shown").scrollIntoView();
  byId("shown-title").focus({ preventScroll: true });
}

function showKeys() {
  for (const line of document.querySelectorAll("path[data-candidate]")) {
    const [colour, dash] = styles[line.dataset.candidate];
    line.setAttribute("stroke", colour);
    line.setAttribute("stroke-dasharray", dash.join(" "));
  }
}

offerChoices();
showKeys();
await showTable();
performance.mark("table-shown");
addEventListener("hashchange", follow);
byId("candidates").addEventListener("change", () => document.querySelectorAll("#charts figure").forEach((one) => one.redraw()));
if (location.hash.startsWith("#curve=")) { await follow(); } else { await show(found[0]); }
performance.mark("curve-shown");
