// What Python cannot do for a panel: keep its keys from the notebook, name its sliders, sort its tables, give the
// focus back after a run.
const PANEL = ".recipe-panel";

// JupyterLab and Notebook look for shortcuts before the focused element hears of a key: `a` would insert a cell, `x`
// cut this one. They pass over an element with this mark. What is pressed with Ctrl or Cmd stays theirs, it saves.
function keepKey(event) {
  if (!event.target.closest?.(PANEL)) return;
  event.target.toggleAttribute("data-lm-suppress-shortcuts", !event.ctrlKey && !event.metaKey);
}

// A slider's handle has neither name nor words, and speaks the number of its step: "6" where the readout says "all".
function nameSliders(panel) {
  for (const handle of panel.querySelectorAll("[role=slider]")) {
    const slider = handle.closest(".widget-inline-hbox, .widget-inline-vbox");
    say(handle, "aria-label", slider?.querySelector(".widget-label")?.textContent);
    say(handle, "aria-valuetext", slider?.querySelector(".widget-readout")?.textContent);
    handle.tabIndex = handle.closest("[disabled]") ? -1 : 0; // what cannot be moved is no stop of the Tab key
  }
}

function say(element, attribute, words) {
  if (words && element.getAttribute(attribute) !== words) element.setAttribute(attribute, words);
}

// A button that is disabled while it has the focus loses it, and the next Tab begins at the top of the page. Who leaves
// a control of their own accord is not called back.
function giveFocusBack(last) {
  if (last?.isConnected && !last.disabled && document.activeElement === document.body) last.focus({ preventScroll: true });
}

// What is copied stays selected, so that it is seen. The clipboard's newer door is closed on pages without HTTPS.
function copyText(event) {
  const button = event.target.closest(".recipe-copy");
  const text = button?.parentElement.querySelector("pre, input[type=text]");
  if (!text) return;
  text.select ? text.select() : getSelection().selectAllChildren(text);
  const link = `${location.origin}${location.pathname}?recipe=${encodeURIComponent(text.value)}`;
  const putLink = (copied) => (copied.clipboardData.setData("text/plain", link), copied.preventDefault());
  if (button.matches(".recipe-link")) document.addEventListener("copy", putLink, { once: true });
  document.execCommand("copy");
}

// The first panel of the kind that such a link names takes its line, as if it were pasted. JupyterLab has changed the
// address by then: what the page was opened by is asked.
function followLink(panel) {
  const line = new URL(performance.getEntriesByType("navigation")[0].name).searchParams.get("recipe");
  const field = panel.querySelector(".recipe-line input");
  if (!line || window.recipeFollowed || line.split("(")[0] !== field.value.split("(")[0]) return;
  window.recipeFollowed = true;
  field.value = line;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// A press on a heading puts the rows of its table in order, the next one turns them round; what is missing stays last.
function sortRows(event) {
  const head = event.target.closest(".recipe-table th[aria-sort]");
  if (!head) return;
  const up = head.getAttribute("aria-sort") !== "ascending";
  const rows = head.closest("table").tBodies[0];
  const read = (row) => row.cells[head.cellIndex].textContent;
  const compare = (one, other) =>
    (one === "–") - (other === "–") || (up ? 1 : -1) * (one - other || one.localeCompare(other));
  rows.append(...[...rows.rows].sort((one, other) => compare(read(one), read(other))));
  for (const one of head.parentElement.cells) one.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
}

function render({ el }) {
  let panel, last, watcher;
  const remember = (event) => (last = event.target);
  const forget = (event) => (last = event.target.disabled ? last : undefined);
  const tidy = () => (nameSliders(panel), giveFocusBack(last));
  const begin = () => {
    panel = el.closest(PANEL);
    if (!panel?.querySelector(".recipe-line input")) return (waiting = requestAnimationFrame(begin)); // not there yet
    watcher = new MutationObserver(tidy);
    watcher.observe(panel, { subtree: true, childList: true, characterData: true, attributeFilter: ["disabled", "aria-valuetext"] });
    panel.classList.add("recipe-script"); // what only the script can do is offered now
    panel.addEventListener("click", copyText);
    panel.addEventListener("click", sortRows);
    panel.addEventListener("focusin", remember);
    panel.addEventListener("focusout", forget);
    tidy();
    followLink(panel);
  };
  let waiting = requestAnimationFrame(begin);
  window.addEventListener("keydown", keepKey, true);
  return () => {
    cancelAnimationFrame(waiting);
    watcher?.disconnect();
    window.removeEventListener("keydown", keepKey, true);
  };
}

export default { render };
