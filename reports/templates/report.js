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
  // What holds the lists of series, wherever it stands in the data.
  const bundle = value => {
    if (!value || typeof value !== 'object') return null;
    if (Array.isArray(value.sets) && value.sets.every(set => set && set.baseline && Array.isArray(set.baseline.values))) return value;
    for (const part of Object.values(value)) {
      const found = Array.isArray(part) ? null : bundle(part);
      if (found) return found;
    }
    return null;
  };
  const quote = text => /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  // As `coalmine judge --data` reads it; what it could not read is refused with the reason.
  const time = ms => {
    if (!(Math.abs(ms) <= 8.64e15)) throw new Error('times beyond the calendar');
    const text = new Date(ms).toISOString();
    if (!/^\d{4}-/.test(text)) throw new Error('times beyond the calendar');
    return text;
  };
  const csv = ({ sets, history = [] }) => {
    const all = [
      ...sets.flatMap(({ name, tags, baseline, canary }) => [[name, tags, 'baseline', baseline], [name, tags, 'canary', canary]]),
      ...history.map(({ name, tags, series }) => [name, tags, 'history', series]),
    ];
    const keys = [...new Set(all.flatMap(([, tags]) => Object.keys(tags || {})))].sort();
    const lines = [['timestamp', 'metric', 'side', 'value', ...keys].map(quote).join(',')];
    for (const [name, tags, side, { grid, values }] of all) {
      if (!grid && values.length) throw new Error('series without times');
      values.forEach((value, index) => lines.push(
        [time(grid.startMs + index * grid.stepMs), name, side, value === null ? '' : String(value), ...keys.map(key => (tags || {})[key] ?? '')].map(quote).join(',')));
    }
    return lines.join('\n') + '\n';
  };
  if (data) {
    const name = data.dataset.name, button = $('#csv');
    $('#json').addEventListener('click', () => save(name + '.json', 'application/json', data.textContent));
    if (button) button.addEventListener('click', () => {
      try {
        const found = bundle(JSON.parse(data.textContent));
        if (!found) throw new Error('no series in the data');
        save(name + '.csv', 'text/csv', csv(found));
      } catch (error) {
        button.disabled = true;
        button.textContent = 'No CSV: ' + error.message;
      }
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
