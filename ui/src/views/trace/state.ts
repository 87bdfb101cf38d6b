// The trace page's state and its place in the URL:
//   span   the selected span: its id, with ".row" behind it where an id is used twice
//   z      the zoom: from-to, ns after the trace's start
//   find   search within the trace
//   level, fold   collapse: from which depth on, and the spans that are the other way round
//   path   1 when the critical path is drawn
//   panel  what the side panel shows
import type { UrlParams, UrlPatch } from '../../base/url';
import type { Trace } from '../../trace/model';
import type { Collapse } from '../../trace/rows';
import type { Window } from './viewport';

export const PANELS = ['span', 'path', 'operations'] as const;
export type Panel = (typeof PANELS)[number];

export interface TraceState {
  selected: number | undefined;
  zoom: Window | undefined;
  find: string;
  collapse: Collapse;
  path: boolean;
  panel: Panel | undefined;
}

const FOLD_MAX = 150;

export function readState(params: UrlParams, trace: Trace): TraceState {
  const level = params.level === undefined ? NaN : Number(params.level);
  const toggled = new Set<number>();
  for (const key of (params.fold ?? '').split(',')) {
    const row = rowOf(trace, key);
    if (row !== undefined) toggled.add(row);
  }
  return {
    selected: rowOf(trace, params.span ?? ''),
    zoom: readZoom(params.z, trace),
    find: params.find ?? '',
    collapse: { level: Number.isInteger(level) && level >= 0 ? level : undefined, toggled },
    path: params.path === '1',
    panel: PANELS.find((p) => p === params.panel),
  };
}

export function rowOf(trace: Trace, key: string): number | undefined {
  const [id = '', row] = key.split('.');
  const at = row === undefined ? trace.rowById.get(id) : Number(row);
  return at !== undefined && trace.spans.id[at] === id ? at : undefined;
}

export function keyOf(trace: Trace, row: number): string {
  const id = trace.spans.id[row]!;
  return trace.rowById.get(id) === row ? id : `${id}.${row}`;
}

function readZoom(text: string | undefined, trace: Trace): Window | undefined {
  const match = /^(\d{1,19})-(\d{1,19})$/.exec(text ?? '');
  if (!match) return undefined;
  const from = BigInt(match[1]!);
  const to = BigInt(match[2]!);
  return from < to && from < trace.lengthNs
    ? { from, to: to > trace.lengthNs ? trace.lengthNs : to }
    : undefined;
}

export const zoomPatch = (zoom: Window | undefined): UrlPatch => ({ z: zoom && `${zoom.from}-${zoom.to}` });

export function collapsePatch(trace: Trace, { level, toggled }: Collapse): UrlPatch {
  return {
    level: level === undefined ? undefined : String(level),
    fold:
      [...toggled]
        .slice(-FOLD_MAX)
        .map((row) => keyOf(trace, row))
        .join(',') || undefined,
  };
}
