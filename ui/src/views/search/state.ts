// The search page's state and its place in the URL: q, start, end, sort.
import { DEFAULT_RANGE, type RangeText } from '../../base/range';
import type { UrlParams, UrlPatch } from '../../base/url';
import type { TraceHit } from '../../client/api';

export const SORTS = {
  newest: 'Newest',
  slowest: 'Slowest',
  errors: 'Most errors',
  spans: 'Most spans',
} as const;
export type Sort = keyof typeof SORTS;

export interface SearchState {
  q: string;
  range: RangeText;
  sort: Sort;
}

export function readState(params: UrlParams): SearchState {
  return {
    q: params.q ?? '{}',
    range: { start: params.start ?? DEFAULT_RANGE.start, end: params.end ?? DEFAULT_RANGE.end },
    sort: params.sort !== undefined && params.sort in SORTS ? (params.sort as Sort) : 'newest',
  };
}

export function rangePatch(range: RangeText): UrlPatch {
  const isDefault = range.start === DEFAULT_RANGE.start && range.end === DEFAULT_RANGE.end;
  return isDefault ? { start: undefined, end: undefined } : { start: range.start, end: range.end };
}

export const queryPatch = (q: string): UrlPatch => ({
  q: q.trim() === '' || q.trim() === '{}' ? undefined : q.trim(),
});

/** The server answers newest first; other orders are of the traces loaded so far. */
export function sortHits(hits: TraceHit[], sort: Sort): TraceHit[] {
  if (sort === 'newest') return hits;
  const size = (hit: TraceHit) =>
    sort === 'slowest' ? Number(hit.durationNs) : sort === 'errors' ? hit.errorCount : hit.spanCount;
  return [...hits].sort((a, b) => size(b) - size(a));
}
