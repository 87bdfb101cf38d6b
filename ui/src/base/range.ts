// A time range as the user writes it: each bound is "now", "now-15m", nanoseconds, or a date and time.
import { MS, parseDuration, type Ns } from './time';

export interface RangeText {
  start: string;
  end: string;
}

export interface RangeNs {
  start: Ns;
  end: Ns;
}

export const DEFAULT_RANGE: RangeText = { start: 'now-1h', end: 'now' };

export const RANGE_PRESETS: { label: string; start: string }[] = [
  { label: '5 minutes', start: 'now-5m' },
  { label: '15 minutes', start: 'now-15m' },
  { label: '1 hour', start: 'now-1h' },
  { label: '3 hours', start: 'now-3h' },
  { label: '6 hours', start: 'now-6h' },
  { label: '24 hours', start: 'now-24h' },
  { label: '2 days', start: 'now-2d' },
  { label: '7 days', start: 'now-7d' },
];

/** undefined when the text is no time. A date without a zone is local time. */
export function resolveTime(text: string, now: Ns): Ns | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now') return now;
  const relative = /^now\s*([-+])\s*(.+)$/.exec(trimmed);
  if (relative) {
    const gap = parseDuration(relative[2]!);
    if (gap === undefined) return undefined;
    return relative[1] === '-' ? now - gap : now + gap;
  }
  if (/^\d{15,20}$/.test(trimmed)) return BigInt(trimmed);
  if (!/^\d{4}-\d\d-\d\d/.test(trimmed)) return undefined;
  const ms = Date.parse(trimmed.replace(' ', 'T').replace(/^(\d{4}-\d\d-\d\d)$/, '$1T00:00'));
  return Number.isNaN(ms) ? undefined : BigInt(ms) * MS;
}

/** Both bounds, or the reason why not. `end` is exclusive, so "now" reaches a little ahead for clocks that run fast. */
export function resolveRange(range: RangeText, now: Ns): RangeNs | { problem: string } {
  const start = resolveTime(range.start, now);
  if (start === undefined)
    return { problem: `“${range.start}” is not a time. Try now-15m or 2026-11-21 15:00.` };
  const end = resolveTime(range.end, now);
  if (end === undefined) return { problem: `“${range.end}” is not a time. Try now or 2026-11-21 15:00.` };
  if (end <= start) return { problem: 'The range ends before it starts.' };
  return { start, end };
}

/** "Last 15 minutes" for a preset, else both bounds. */
export function describeRange(range: RangeText): string {
  if (range.end === 'now') {
    const preset = RANGE_PRESETS.find((p) => p.start === range.start);
    if (preset) return `Last ${preset.label}`;
    if (range.start.startsWith('now-')) return `Last ${range.start.slice(4)}`;
  }
  return `${describeBound(range.start)} – ${describeBound(range.end)}`;
}

function describeBound(text: string): string {
  if (!/^\d{15,20}$/.test(text)) return text;
  const date = new Date(Number(BigInt(text) / MS));
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
