// A trace ready to be looked at: the server's columns and what follows from them, all by row, so that 100,000 spans are a few
// dozen arrays and not 100,000 objects.
import { Status, type TraceColumns } from './columns';

export interface Trace extends TraceColumns {
  readonly count: number;
  /** endNs - startNs, never negative */
  readonly lengthNs: bigint;
  /** start and duration once more as doubles, for geometry only (exact below 104 days) */
  readonly startAt: Float64Array;
  readonly length: Float64Array;
  readonly depth: Int32Array;
  readonly depthMax: number;
  readonly childCount: Int32Array;
  /** spans with status error among rows 0..i-1; a subtree's count is a difference of two */
  readonly errorsBefore: Int32Array;
  /** first event (link) of row i; row i's are [first[i], first[i+1]) */
  readonly firstEvent: Int32Array;
  readonly firstLink: Int32Array;
  readonly roots: number[];
  readonly rowById: ReadonlyMap<string, number>;
  readonly services: ServiceCount[];
  readonly errorCount: number;
}

export interface ServiceCount {
  name: string;
  spanCount: number;
  errorCount: number;
}

export function buildTrace(columns: TraceColumns): Trace {
  const { spans, events, links } = columns;
  const count = spans.id.length;
  const startAt = new Float64Array(count);
  const length = new Float64Array(count);
  const depth = new Int32Array(count);
  const childCount = new Int32Array(count);
  const errorsBefore = new Int32Array(count + 1);
  const roots: number[] = [];
  const rowById = new Map<string, number>();
  const byService = new Map<string, ServiceCount>();
  let depthMax = 0;
  for (let row = 0; row < count; row++) {
    startAt[row] = Number(spans.start[row]);
    length[row] = Math.max(0, Number(spans.duration[row]));
    const parent = spans.parent[row]!;
    if (parent < 0) {
      roots.push(row);
    } else {
      depth[row] = depth[parent]! + 1;
      childCount[parent]!++;
    }
    depthMax = Math.max(depthMax, depth[row]!);
    const error = spans.status[row] === Status.error ? 1 : 0;
    errorsBefore[row + 1] = errorsBefore[row]! + error;
    if (!rowById.has(spans.id[row]!)) rowById.set(spans.id[row]!, row);
    const name = columns.dictionary[columns.resources[spans.resource[row]!]!.service]!;
    const service = byService.get(name) ?? { name, spanCount: 0, errorCount: 0 };
    service.spanCount++;
    service.errorCount += error;
    byService.set(name, service);
  }
  const lengthNs = columns.endNs > columns.startNs ? columns.endNs - columns.startNs : 0n;
  return {
    ...columns,
    count,
    lengthNs,
    startAt,
    length,
    depth,
    depthMax,
    childCount,
    errorsBefore,
    firstEvent: firstOf(events.span, count),
    firstLink: firstOf(links.span, count),
    roots,
    rowById,
    services: [...byService.values()].sort((a, b) => b.spanCount - a.spanCount || (a.name < b.name ? -1 : 1)),
    errorCount: errorsBefore[count]!,
  };
}

/** `owner` is ascending; gives, for each row and one past the last, the index of its first entry. */
function firstOf(owner: Int32Array, count: number): Int32Array {
  const first = new Int32Array(count + 1);
  for (const row of owner) first[row + 1]!++;
  for (let row = 0; row < count; row++) first[row + 1]! += first[row]!;
  return first;
}

export function serviceOf(trace: Trace, row: number): string {
  return trace.dictionary[trace.resources[trace.spans.resource[row]!]!.service]!;
}

export function nameOf(trace: Trace, row: number): string {
  return trace.dictionary[trace.spans.name[row]!]!;
}

export function isError(trace: Trace, row: number): boolean {
  return trace.spans.status[row] === Status.error;
}

/** Errors below row, not counting row itself. */
export function errorsBelow(trace: Trace, row: number): number {
  return trace.errorsBefore[row + trace.spans.subtreeSize[row]! + 1]! - trace.errorsBefore[row + 1]!;
}

/** The row that stands for the trace in a header: the first true root, else the fragment with the most spans. */
export function rootRow(trace: Trace): number {
  const { parentId, subtreeSize } = trace.spans;
  const trueRoot = trace.roots.find((row) => parentId[row] === '');
  return trueRoot ?? trace.roots.reduce((a, b) => (subtreeSize[b]! > subtreeSize[a]! ? b : a), 0);
}

/** Direct children of row, in order of start. */
export function* childrenOf(trace: Trace, row: number): Generator<number> {
  const end = row + trace.spans.subtreeSize[row]!;
  for (let child = row + 1; child <= end; child += trace.spans.subtreeSize[child]! + 1) yield child;
}
