// Where the points of the scatter lie: time across, duration up on a log scale. Pure, so that it can be tested.
import type { RangeNs } from '../../base/range';
import { ticks, type Ns } from '../../base/time';
import type { TraceHit } from '../../client/api';

export const MARGIN = { left: 58, right: 14, top: 10, bottom: 22 };

export interface Point {
  hit: TraceHit;
  x: number;
  y: number;
  radius: number;
  error: boolean;
}

export interface Layout {
  points: Point[];
  xTicks: { x: number; ns: Ns }[];
  yTicks: { y: number; ns: Ns }[];
  timeAt(x: number): Ns;
}

export function layoutScatter(hits: TraceHit[], range: RangeNs, width: number, height: number): Layout {
  const plotWidth = Math.max(1, width - MARGIN.left - MARGIN.right);
  const plotHeight = Math.max(1, height - MARGIN.top - MARGIN.bottom);
  const logs = hits.map((h) => Math.log10(Math.max(1, Number(h.durationNs))));
  let low = Math.min(...logs);
  let high = Math.max(...logs);
  if (hits.length === 0) [low, high] = [6, 9];
  const pad = Math.max(0.08, (high - low) * 0.06);
  low -= pad;
  high += pad;
  if (high - low < 0.6) [low, high] = [(low + high) / 2 - 0.3, (low + high) / 2 + 0.3];
  const length = Number(range.end - range.start) || 1;
  const x = (ns: Ns) => MARGIN.left + (Number(ns - range.start) / length) * plotWidth;
  const y = (log: number) => MARGIN.top + (1 - (log - low) / (high - low)) * plotHeight;
  return {
    points: hits.map((hit, i) => ({
      hit,
      x: x(hit.startNs),
      y: y(logs[i]!),
      radius: Math.min(9, 2.6 + Math.log10(Math.max(1, hit.spanCount)) * 1.1),
      error: hit.errorCount > 0,
    })),
    xTicks: ticks(range.start, range.end, Math.max(2, Math.floor(plotWidth / 120))).map((ns) => ({
      ns,
      x: x(ns),
    })),
    yTicks: logTicks(low, high).map((ns) => ({ ns: BigInt(ns), y: y(Math.log10(ns)) })),
    timeAt: (px) => range.start + BigInt(Math.round(((px - MARGIN.left) / plotWidth) * length)),
  };
}

/** Powers of ten; when there are fewer than three, 2 and 5 of each too. */
function logTicks(low: number, high: number): number[] {
  const out: number[] = [];
  const factors = high - low < 3.2 ? [1, 2, 5] : [1];
  for (let power = Math.floor(low); power <= high; power++)
    for (const f of factors) {
      const value = f * 10 ** power;
      if (value >= 1 && Math.log10(value) >= low && Math.log10(value) <= high) out.push(value);
    }
  return out;
}

/** The point under the pointer, the smallest distance first; undefined when none is near. */
export function pointAt(points: Point[], x: number, y: number): Point | undefined {
  let best: Point | undefined;
  let bestDistance = 10;
  for (const point of points) {
    const distance = Math.hypot(point.x - x, point.y - y) - point.radius;
    if (distance < bestDistance) [best, bestDistance] = [point, distance];
  }
  return best;
}
