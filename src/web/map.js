// Where in the world is it? A map of economies (Natural Earth 1:110m), shaded by number, with arcs for flows.
import {html, useState, useEffect} from './lib/htm.js';
import {asset, economy, number, t} from './i18n.js';
import {go} from './router.js';

const width = 960;
const scale = width / 5.42;
const top = 250;
const bottom = top + 190;
const rad = Math.PI / 180;

// Equal Earth: areas are true, so that nobody looks larger than they are.
export function project(lon, lat) {
  const p = Math.asin((Math.sqrt(3) / 2) * Math.sin(lat * rad));
  const p2 = p * p;
  const p6 = p2 * p2 * p2;
  const bend = 1.340264 - 0.243318 * p2 + p6 * (0.006251 + 0.034164 * p2);
  const x = (2 * Math.sqrt(3) * lon * rad * Math.cos(p)) / (3 * bend);
  const y = p * (1.340264 - 0.081106 * p2 + p6 * (0.000893 + 0.003796 * p2));
  return [width / 2 + x * scale, top - y * scale];
}

// TopoJSON's arcs: steps from point to point, shared by neighbours; ~i is arc i backwards.
function arcsOf({arcs, transform: {scale: [kx, ky], translate: [dx, dy]}}) {
  return arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([sx, sy]) => [(x += sx) * kx + dx, (y += sy) * ky + dy]);
  });
}
function ringOf(arcs, indices) {
  const ring = indices.flatMap((i, n) => (i < 0 ? [...arcs[~i]].reverse() : arcs[i]).slice(n ? 1 : 0));
  let turn = 0; // what lies on both sides of 180 degrees is drawn on both
  return ring.map(([lon, lat], n) => {
    if (n && lon - ring[n - 1][0] > 180) turn -= 360;
    if (n && lon - ring[n - 1][0] < -180) turn += 360;
    return [lon + turn, lat];
  });
}
// What lies beyond the edge is cut off at it: of each run out there only its two ends are kept.
function cut(ring, shift) {
  const out = (n) => Math.abs(ring[(n + ring.length) % ring.length][0] + shift) > 180;
  return ring.filter((point, n) => !out(n) || !out(n - 1) || !out(n + 1))
    .map(([lon, lat]) => project(Math.max(-180, Math.min(180, lon + shift)), lat).map((v) => v.toFixed(1)).join(' '));
}
function pathOf(ring) {
  const lons = ring.map(([lon]) => lon);
  const shifts = [0, Math.max(...lons) > 180 && -360, Math.min(...lons) < -180 && 360].filter((shift) => shift !== false);
  return shifts.map((shift) => `M${cut(ring, shift).join('L')}Z`).join('');
}
let world;
async function load() {
  const [topology, facts] = await Promise.all([asset('lib/world.json'), asset('economies.json')]);
  const arcs = arcsOf(topology);
  const codes = new Map(Object.entries(facts).map(([code, fact]) => [fact.numeric, code]));
  const shapes = topology.objects.countries.geometries.filter((shape) => shape.id !== '010').map((shape) => {
    const polygons = shape.type === 'Polygon' ? [shape.arcs] : shape.arcs;
    return {code: codes.get(shape.id), d: polygons.flat().map((ring) => pathOf(ringOf(arcs, ring))).join('')};
  });
  return {shapes, facts};
}
export function useWorld() {
  const [got, set] = useState(world);
  useEffect(() => { if (!got) load().then((w) => set(world = w), () => {}); }, []);
  return got;
}
const at = (facts, code) => facts[code]?.lat !== undefined && project(facts[code].lon, facts[code].lat);

const most = (all) => Math.max(1, ...all);
// From A to B, to the left of the way: so one that goes and one that comes lie apart, and both inside of the map.
function bent([x1, y1], [x2, y2]) {
  const peak = (at) => (4 * at - y1 - y2) / 2;
  const y = Math.min(peak(bottom - 6), Math.max(peak(6), (y1 + y2) / 2 - (x2 - x1) * 0.22));
  return `M${x1} ${y1}Q${(x1 + x2) / 2 + (y2 - y1) * 0.22} ${y} ${x2} ${y2}`;
}
function Flow({flow, share}) {
  const {from, to, count, way} = flow;
  return html`<path class="flow ${way}" d=${bent(flow.a, flow.b)} stroke-width=${0.75 + 5 * share} data-from=${from} data-to=${to} data-count=${count}>
    <title>${economy(from)} → ${economy(to)}: ${number(count)}</title></path>`;
}
function Land({code, d, value, step}) {
  return html`<path class="land ${step}" d=${d} data-code=${code}><title>${economy(code)}${value ? `: ${number(value)}` : ''}</title></path>`;
}
// VALUES: economy -> number; FLOWS: [{from, to, count, way: in or out}]; TO(economy): where a click leads. What it shows, and
// the same links, stand in a table beside it too.
export function WorldMap({values = {}, flows = [], label, to}) {
  const w = useWorld();
  const top_ = most(Object.values(values));
  const step = (value) => (value ? `s${1 + Math.min(2, Math.floor((3 * Math.log1p(value)) / Math.log1p(top_ + 1)))}` : '');
  const largest = most(flows.map((flow) => flow.count));
  const share = (count) => Math.sqrt(count / largest);
  const ends = w ? flows.map((flow) => ({...flow, a: at(w.facts, flow.from), b: at(w.facts, flow.to)})).filter((f) => f.a && f.b) : [];
  const places = new Map(ends.flatMap(({from, to: end, a, b}) => [[from, a], [end, b]]));
  const click = to && ((event) => {
    const code = event.target.closest('[data-code]')?.dataset.code;
    if (code) go(to(code));
  });
  return html`<svg class="chart map ${to ? 'leads' : ''}" viewBox="0 0 960 ${bottom}" role="img" aria-label=${label} onClick=${click}>
    ${w?.shapes.map(({code, d}) => html`<${Land} key=${code} ...${{code, d, value: values[code], step: step(values[code])}} />`)}
    ${ends.map((flow) => html`<${Flow} key=${flow.way + flow.from + flow.to} flow=${flow} share=${share(flow.count)} />`)}
    ${[...places].map(([code, [x, y]]) => html`<circle key=${code} cx=${x} cy=${y} r=${values[code] ? 2 + 4 * Math.min(1, share(values[code])) : 4} data-code=${code}>
      <title>${economy(code)}${values[code] ? `: ${number(values[code])}` : ''}</title></circle>`)}
    ${!w && html`<text x="480" y="220" text-anchor="middle">${t('loading')}</text>`}</svg>`;
}
// One economy, or some, on the world.
export const Places = ({codes, label}) => html`<${WorldMap} label=${label} values=${Object.fromEntries(codes.map((code) => [code, 1]))} />`;
