// One curve as a Vega-Lite chart. Colour and dash both tell the candidates apart.
const styles = {
  flat: ["#000000", [2, 3]],
  linear: ["#E69F00", [7, 3]],
  power: ["#009E73", [7, 2, 2, 2]],
  sigmoid: ["#0072B2", []],
  quadratic: ["#CC79A7", [10, 5]],
};
const sizeLabel = "replace(format(pow(10, datum.value), '.3~s'), 'G', 'B')";

// Bands are kept as a first height and steps from node to node, in parts of the window.
function heights(moves, [low, high]) {
  let sum = 0;
  const steps = moves.length === 1 ? Array(facts.nodes).fill(0) : moves;
  return steps.map((move, i) => {
    sum += moves.length === 1 ? (i === 0 ? moves[0] : 0) : move;
    return low + ((high - low) * sum) / facts.bandSteps;
  });
}

function bandRows(curve, candidate) {
  const at = facts.candidates.indexOf(candidate) * 3;
  const [lower, median, upper] = [0, 1, 2].map((i) => heights(curve.bands[at + i], curve.window));
  const [first, last] = [curve.size[0], curve.size.at(-1)];
  return median.map((value, i) => ({
    size: first + ((last - first) * i) / (facts.nodes - 1), lower: lower[i], median: value, upper: upper[i],
  }));
}

function bandLayers(curve, candidate) {
  const [colour, dash] = styles[candidate];
  const values = bandRows(curve, candidate);
  const x = { field: "size", type: "quantitative" };
  return [
    { data: { values }, mark: { type: "area", interpolate: "monotone", clip: true, opacity: 0.2, color: colour, aria: false },
      encoding: { x, y: { field: "lower", type: "quantitative" }, y2: { field: "upper" } } },
    { data: { values }, mark: { type: "line", interpolate: "monotone", clip: true, color: colour, strokeDash: dash, aria: false },
      encoding: { x, y: { field: "median", type: "quantitative" } } },
  ];
}

function pointLayers(curve, x, y) {
  const values = curve.size.map((size, i) => ({
    size, score: curve.score[i], lower: curve.lower[i], upper: curve.upper[i],
    items: curve.items[i] || "unknown", parameters: (10 ** size).toPrecision(3),
  }));
  const tooltip = ["parameters", "score", "lower", "upper", "items"].map((field) => ({ field }));
  return [
    { data: { values }, mark: { type: "rule", clip: true, color: "#000", aria: false },
      encoding: { x, y: { ...y, field: "lower" }, y2: { field: "upper" } } },
    { data: { values }, mark: { type: "point", filled: true, size: 45, opacity: 1, color: "#000", aria: false },
      encoding: { x, y: { ...y, field: "score" }, tooltip } },
  ];
}

function chart(curve, { metric, reverse, candidates, description }) {
  const reach = 0.04 * (curve.size.at(-1) - curve.size[0]);
  const x = {
    field: "size", type: "quantitative", title: "parameters",
    scale: { domain: [curve.size[0] - reach, curve.size.at(-1) + reach], nice: false, zero: false },
    axis: { labelExpr: sizeLabel, tickCount: 5, grid: false },
  };
  const y = {
    type: "quantitative", title: metric + (reverse ? " (lower is better)" : ""),
    scale: { domain: curve.window, reverse, nice: false, zero: false }, axis: { grid: false, tickCount: 5 },
  };
  const chance = { data: { values: [{ chance: curve.chance }] },
    mark: { type: "rule", clip: true, color: "#666", strokeDash: [2, 2], aria: false },
    encoding: { y: { ...y, field: "chance" } } };
  return {
    width: 330, height: 220, description, background: "white",
    layer: [
      ...pointLayers(curve, x, y),
      ...candidates.flatMap((candidate) => bandLayers(curve, candidate)),
      ...(curve.chance === null ? [] : [chance]),
    ],
    config: { font: "system-ui, DejaVu Sans, sans-serif", axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal" } },
  };
}

let drawing = null;
async function draw(place, spec) {
  drawing ??= library("chart-library");
  await drawing;
  const { view } = await vegaEmbed(place, spec, { actions: false, renderer: "svg" });
  return view;
}
