// What Python cannot do for a panel: keep its keys from the notebook, name its sliders, give the focus back after a run.
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
function copyProgram(event) {
  const program = event.target.closest(".recipe-copy")?.parentElement.querySelector("pre");
  if (program) getSelection().selectAllChildren(program), document.execCommand("copy");
}

function render({ el }) {
  let panel, last, watcher;
  const remember = (event) => (last = event.target);
  const forget = (event) => (last = event.target.disabled ? last : undefined);
  const tidy = () => (nameSliders(panel), giveFocusBack(last));
  const begin = () => {
    panel = el.closest(PANEL);
    if (!panel) return (waiting = requestAnimationFrame(begin)); // not on the page yet
    watcher = new MutationObserver(tidy);
    watcher.observe(panel, { subtree: true, childList: true, characterData: true, attributeFilter: ["disabled", "aria-valuetext"] });
    panel.classList.add("recipe-script"); // what only the script can do is offered now
    panel.addEventListener("click", copyProgram);
    panel.addEventListener("focusin", remember);
    panel.addEventListener("focusout", forget);
    tidy();
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
