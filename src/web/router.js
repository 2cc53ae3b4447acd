// Where is the reader, and how do links, the back button and filters change that?
import {useState, useEffect} from './lib/htm.js';

const here = () => ({path: location.pathname, query: Object.fromEntries(new URLSearchParams(location.search))});
const watchers = new Set();
const moved = () => watchers.forEach((call) => call(here()));

export function go(to, {replace = false} = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  moved();
}
export function useLocation() {
  const [at, set] = useState(here);
  useEffect(() => {
    watchers.add(set);
    return () => watchers.delete(set);
  }, []);
  return at;
}
// The page's state lies in its URL, so that every view can be shared.
export function useQuery() {
  const {path, query} = useLocation();
  const set = (changes, options) => {
    const next = Object.entries({...query, ...changes}).filter(([, value]) => value !== '' && value != null);
    go(next.length ? `${path}?${new URLSearchParams(next)}` : path, options);
  };
  return [query, set];
}
// What is being written into a field whose value lies in the URL: the back button brings that back, too.
export function useDraft(value = '') {
  const [text, write] = useState(value);
  useEffect(() => write(value), [value]);
  return [text, write];
}
addEventListener('popstate', moved);
addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute('download')) return;
  const to = new URL(link.href);
  if (to.origin !== location.origin || to.pathname.startsWith('/api/') || to.pathname === '/metrics') return;
  if (to.hash && to.pathname === location.pathname) return;
  event.preventDefault();
  go(to.pathname + to.search);
});
