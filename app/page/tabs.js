// Tabs as the ARIA practices have them: arrow keys go from one to the next.

/** Wires a tab list; `left(panelId)` is told which panel is no longer looked at. Returns what shows a tab. */
export function tabs(list, left) {
  const all = [...list.querySelectorAll('[role=tab]')];
  const panel = (tab) => document.getElementById(tab.getAttribute('aria-controls'));

  function show(tab) {
    for (const one of all) {
      if (one !== tab && one.getAttribute('aria-selected') === 'true') left(panel(one).id);
      one.setAttribute('aria-selected', String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      panel(one).hidden = one !== tab;
    }
  }

  list.addEventListener('click', (event) => { if (event.target.closest('[role=tab]')) show(event.target.closest('[role=tab]')); });
  list.addEventListener('keydown', (event) => {
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = all.at(to % all.length);
    show(tab);
    tab.focus();
  });
  return show;
}
