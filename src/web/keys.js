// Which keys do what? Single letters can be turned off (WCAG 2.1.4), and never fire where text is written.
import {kept} from './i18n.js';
import {go} from './router.js';

const rows = () => [...document.querySelectorAll('main tbody tr')];
let leader = 0;

function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const row = all[Math.min(all.length - 1, Math.max(0, at + step))];
  row?.querySelector('a, input, button')?.focus();
}
const writes = (target) => target.closest('input:not([type="checkbox"]), textarea, select, dialog, [contenteditable]');

// HELP shows them; PAGES: where `g` and a letter lead. What it returns ends it.
export function listen({help, pages}) {
  const hear = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target) || kept('keys') === 'off') return;
    const after = performance.now() - leader < 1500;
    leader = 0;
    if (after && pages[event.key]) go(pages[event.key]);
    else if (event.key === '/') document.getElementById('search')?.focus();
    else if (event.key === '?') help();
    else if (event.key === 'g') leader = performance.now();
    else if (event.key === 'j') move(1);
    else if (event.key === 'k') move(-1);
    else if (event.key === 'x') document.activeElement.closest('tr')?.querySelector('input[type="checkbox"]')?.click();
    else return;
    event.preventDefault();
  };
  addEventListener('keydown', hear);
  return () => removeEventListener('keydown', hear);
}
