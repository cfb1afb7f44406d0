'use strict';
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  // The phone layout turns rows into grids; the roles keep them a table for those who listen.
  const ROLES = { TABLE: 'table', THEAD: 'rowgroup', TBODY: 'rowgroup', TFOOT: 'rowgroup', TR: 'row', TD: 'cell' };
  $$('table, thead, tbody, tfoot, tr, td, th').forEach(node =>
    node.setAttribute('role', ROLES[node.tagName] || (node.scope === 'col' ? 'columnheader' : 'rowheader')));

  const copy = (button, code) => {
    const label = $('span', button), was = label.textContent;
    const say = word => { label.textContent = word; setTimeout(() => { label.textContent = was; }, 1600); };
    const select = () => { getSelection().selectAllChildren(code); say('Selected'); };
    if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(() => say('Copied'), select);
    else select();
  };
  $$('.copy').forEach(button => button.addEventListener('click', () => {
    const from = button.dataset.from;
    copy(button, from ? document.getElementById(from) : $('code', button.closest('h3').nextElementSibling));
  }));

  const save = (name, type, text) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const data = $('#data');
  // The list of series, wherever it stands in the data.
  const sets = value => {
    if (!value || typeof value !== 'object') return null;
    if (Array.isArray(value.sets) && value.sets.every(set => set && set.baseline && Array.isArray(set.baseline.values))) return value.sets;
    for (const part of Object.values(value)) {
      const found = Array.isArray(part) ? null : sets(part);
      if (found) return found;
    }
    return null;
  };
  const quote = text => /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  const csv = all => {
    const tags = [...new Set(all.flatMap(set => Object.keys(set.tags || {})))].sort();
    const timed = all.some(set => set.baseline.grid || set.canary.grid);
    const lines = [[timed ? 'timestamp' : 'index', 'metric', 'side', 'value', ...tags].map(quote).join(',')];
    for (const set of all) for (const side of ['baseline', 'canary']) {
      const { grid, values } = set[side];
      values.forEach((value, index) => {
        const at = grid ? new Date(grid.startMs + index * grid.stepMs).toISOString() : timed ? '' : String(index);
        lines.push([at, set.name, side, value === null ? '' : String(value), ...tags.map(tag => (set.tags || {})[tag] ?? '')].map(quote).join(','));
      });
    }
    return lines.join('\n') + '\n';
  };
  if (data) {
    const name = data.dataset.name, button = $('#csv');
    $('#json').addEventListener('click', () => save(name + '.json', 'application/json', data.textContent));
    button.addEventListener('click', () => {
      let all = null;
      try { all = sets(JSON.parse(data.textContent)); } catch { /* The button says so. */ }
      if (all) save(name + '.csv', 'text/csv', csv(all));
      else { button.disabled = true; button.textContent = 'No series in the data'; }
    });
  }

  const table = $('#metrics');
  if (!table) return;
  const bodies = $$('tbody.m', table);
  const toggle = (body, on) => {
    const detail = $('.detail', body);
    const open = on ?? detail.hidden;
    detail.hidden = !open;
    $('button[aria-expanded]', body).setAttribute('aria-expanded', open);
    body.classList.toggle('open', open);
  };
  bodies.forEach(body => $('.row', body).addEventListener('click', event => {
    if (!event.target.closest('a') && !String(getSelection())) toggle(body);
  }));

  let kind = 'all';
  const find = $('#q'), group = $('#grp'), shown = $('#shown'), none = $('#none');
  const filter = () => {
    const text = find.value.trim().toLowerCase(), wanted = group ? group.value : '';
    let count = 0;
    bodies.forEach(body => {
      const { k, g, name } = body.dataset;
      const fits = (kind === 'all' || k === kind) && (!wanted || g.split('\n').includes(wanted)) && name.toLowerCase().includes(text);
      body.hidden = !fits;
      count += fits;
    });
    shown.textContent = count + ' of ' + bodies.length + ' metrics';
    none.hidden = count > 0;
  };
  const chips = $$('.chip');
  chips.forEach(chip => chip.addEventListener('click', () => {
    kind = chip.dataset.k;
    chips.forEach(other => other.setAttribute('aria-pressed', other === chip));
    filter();
  }));
  find.addEventListener('input', filter);
  if (group) group.addEventListener('change', filter);
  $('#reset').addEventListener('click', () => {
    find.value = '';
    if (group) group.value = '';
    chips[0].click();
    find.focus();
  });
  addEventListener('keydown', event => {
    if (event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !/INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) {
      event.preventDefault();
      find.focus();
    }
  });
  const all = $('#all');
  all.addEventListener('click', () => {
    const on = all.getAttribute('aria-pressed') !== 'true';
    all.setAttribute('aria-pressed', on);
    all.textContent = on ? 'Close all' : 'Open all';
    bodies.forEach(body => { if (!on || !body.hidden) toggle(body, on); });
  });

  $$('thead button', table).forEach(button => button.addEventListener('click', () => {
    const head = button.closest('th'), key = button.dataset.key;
    const up = head.getAttribute('aria-sort') !== 'ascending';
    $$('thead th', table).forEach(other => other.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const compare = key === 'name'
      ? (a, b) => a.dataset.name.localeCompare(b.dataset.name, 'en', { numeric: true })
      : (a, b) => Number(a.dataset[key]) - Number(b.dataset[key]);
    bodies.slice().sort((a, b) => (up ? 1 : -1) * compare(a, b)).forEach(body => table.appendChild(body));
  }));

  // The first row is the one that matters most; an address may name another, as in `report.html#m3`.
  const named = bodies.find(body => '#' + body.id === location.hash);
  toggle(named || bodies[0], true);
  if (named) named.scrollIntoView();
})();
