// What the page holds: a table by column, groups of curves, and two libraries, all compressed.
const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts").textContent);

async function unpacked(id) {
  const packed = byId(id).textContent;
  const bytes = Uint8Array.fromBase64?.(packed) ?? Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).text();
}

async function library(id) {
  const url = URL.createObjectURL(new Blob([await unpacked(id)], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
}

const columns = JSON.parse(await unpacked("table-data"));
// JSON has no infinity; it comes as a word.
for (const column of Object.values(columns).filter(({ values }) => values)) {
  column.values = column.values.map((value) => (typeof value === "string" ? Number(value) : value));
}
const heads = Object.keys(columns);
const total = columns.task.codes.length;

// The text of a cell or its number; null where there is none.
function cell(head, row) {
  const { words, codes, values } = columns[head];
  return words ? words[codes[row]] : values[row];
}

const keys = ["task", "subtask", "metric", "family", "shots"];
const nameOf = (row) => [facts.benchmark, ...keys.map((key) => cell(key, row))].join("|");
const rowOf = (name) => {
  for (let row = 0; row < total; row += 1) { if (nameOf(row) === name) { return row; } }
  return -1;
};

const groups = new Map();
async function pointsOf(row) {
  const number = Math.floor(row / facts.perGroup);
  if (!groups.has(number)) { groups.set(number, unpacked(`group-${number}`).then(JSON.parse)); }
  return (await groups.get(number))[row % facts.perGroup];
}

// Words match in any text of a row; each is looked up once a distinct text and not once a row.
const searched = ["task", "subtask", "metric", "class", "family", "verdict"];
function holding(word, within = searched) {
  const hits = within.map((head) => columns[head].words.map((text) => text.toLowerCase().includes(word)));
  return (row) => within.some((head, i) => hits[i][columns[head].codes[row]]);
}

function matching(wanted) {
  const tests = wanted.words.toLowerCase().split(/\s+/).filter(Boolean).map((word) => holding(word));
  tests.push(holding(wanted.task.toLowerCase(), ["task", "subtask"]));
  for (const [head, text] of wanted.exact) {
    const { words, codes } = columns[head];
    const code = words.indexOf(text);
    tests.push((row) => codes[row] === code);
  }
  return Array.from({ length: total }, (_, row) => row).filter((row) => tests.every((test) => test(row)));
}

// Missing numbers stay at the end whichever way the rows are sorted; ties keep their order.
function sorted(rows, head, sign) {
  const order = columns[head].codes ?? columns[head].values;
  return rows.slice().sort((a, b) =>
    (order[a] === null) - (order[b] === null) || sign * (order[a] - order[b]) || a - b);
}

// The same models on the same task under other metrics, and whether their outputs are the same.
function siblings(row) {
  const same = ["task", "subtask", "family", "shots"].map((head) => columns[head].codes);
  const query = (other) => cell("query", other);
  return Array.from({ length: total }, (_, other) => other)
    .filter((other) => other !== row && same.every((codes) => codes[other] === codes[row]))
    .map((other) => ({ row: other, sameOutputs: query(other) === query(row) && query(row) !== "other" }));
}

function csv(rows) {
  const quoted = (value) => (/[",\n]/.test(value ?? "") ? `"${value.replaceAll('"', '""')}"` : value ?? "");
  const lines = rows.map((row) => heads.map((head) => quoted(cell(head, row))).join(","));
  return [heads.map(quoted).join(","), ...lines].join("\r\n");
}
