"use strict";
(() => {
  const plots = [...document.querySelectorAll(".plot")];
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const theme = () => {
    const axis = { gridcolor: color("--line"), linecolor: color("--line"), zerolinecolor: color("--line"), automargin: true };
    return { layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: color("--text") },
      xaxis: axis, yaxis: axis, modebar: { bgcolor: "rgba(0,0,0,0)", color: color("--muted"), activecolor: color("--best") },
      hoverlabel: { bgcolor: color("--panel"), bordercolor: color("--line"), font: { color: color("--text") } },
    } };
  };
  const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  const draw = plot => {
    const { data, layout } = JSON.parse(plot.closest("figure").querySelector("script").textContent);
    Plotly.newPlot(plot, data, { ...layout, template: theme() }, CONFIG);
    plot.traces = data.length;
    plot.on("plotly_click", event => choose(event.points[0].customdata));
  };
  const recolor = () => plots.forEach(plot => plot.traces && Plotly.relayout(plot, { template: theme() }));

  // what belongs to one trial or image is marked in every figure and table
  let chosen = null;
  const choose = name => {
    if (typeof name !== "string") return;
    chosen = name === chosen ? null : name;
    document.querySelectorAll("tr[data-name]").forEach(row => row.classList.toggle("chosen", row.dataset.name === chosen));
    plots.forEach(mark);
  };
  const mark = plot => {
    const own = plot.data.slice(0, plot.traces).filter(trace => trace.type === "scatter" && Array.isArray(trace.customdata));
    const x = [], y = [];
    for (const trace of own) trace.customdata.forEach((name, place) => {
      if (name === chosen && chosen !== null) { x.push(trace.x[place]); y.push(trace.y[place]); }
    });
    if (plot.data.length > plot.traces) Plotly.deleteTraces(plot, plot.traces);
    if (x.length) Plotly.addTraces(plot, { x, y, type: "scatter", mode: "markers", showlegend: false, hoverinfo: "skip",
      marker: { size: 14, symbol: "circle-open", color: color("--text"), line: { width: 3 } } });
  };
  document.querySelectorAll("tr[data-name]").forEach(row => row.addEventListener("click", () => choose(row.dataset.name)));

  const order = (a, b) => {
    const [x, y] = [a, b].map(text => Number(text.replaceAll(",", "")));
    return a !== "" && b !== "" && Number.isFinite(x) && Number.isFinite(y) ? x - y : a.localeCompare(b);
  };
  const sort = (button, place) => {
    const head = button.closest("th"), down = head.getAttribute("aria-sort") === "ascending";
    const body = head.closest("table").tBodies[0], rows = [...body.rows];
    head.parentNode.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort((a, b) => order(a.cells[place].textContent, b.cells[place].textContent) * (down ? -1 : 1));
    body.append(...rows);
  };
  document.querySelectorAll("th button").forEach(button =>
    button.addEventListener("click", () => sort(button, button.closest("th").cellIndex)));

  // one after the other, so that the page can be read and scrolled from the start
  const next = place => {
    if (place === plots.length) { document.body.dataset.drawn = place; return; }
    draw(plots[place]);
    setTimeout(next, 0, place + 1);
  };
  next(0);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
  // not at beforeprint, when the styles are still those of the screen
  matchMedia("print").addEventListener("change", recolor);
})();
