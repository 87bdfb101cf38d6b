// Self time: what a span spent outside its children.
//
// Children are in order of start, so one sweep per parent finds the union of their intervals, each cut to the parent.
import type { PathInput } from './criticalPath';
import { isError, nameOf, serviceOf, type Trace } from './model';

export function selfTimes({ count, spans }: Omit<PathInput, 'roots'>): BigInt64Array {
  const self = new BigInt64Array(count);
  const coveredTo = new BigInt64Array(count);
  for (let row = 0; row < count; row++) {
    const duration = spans.duration[row]!;
    self[row] = duration > 0n ? duration : 0n;
    coveredTo[row] = spans.start[row]!;
    const parent = spans.parent[row]!;
    if (parent < 0 || duration <= 0n) continue;
    const parentEnd = spans.start[parent]! + spans.duration[parent]!;
    let from = spans.start[row]!;
    let to = from + duration;
    if (from < coveredTo[parent]!) from = coveredTo[parent]!;
    if (to > parentEnd) to = parentEnd;
    if (to <= from) continue;
    self[parent]! -= to - from;
    coveredTo[parent] = to;
  }
  return self;
}

export interface OperationStats {
  service: string;
  name: string;
  count: number;
  errors: number;
  total: bigint;
  self: bigint;
  max: bigint;
  firstRow: number;
  slowestRow: number;
}

/** One entry per service and operation, the most self time first. */
export function operationStats(trace: Trace, self: BigInt64Array): OperationStats[] {
  const byKey = new Map<string, OperationStats>();
  for (let row = 0; row < trace.count; row++) {
    const key = `${trace.resources[trace.spans.resource[row]!]!.service}:${trace.spans.name[row]}`;
    let entry = byKey.get(key);
    if (!entry) {
      entry = {
        service: serviceOf(trace, row),
        name: nameOf(trace, row),
        count: 0,
        errors: 0,
        total: 0n,
        self: 0n,
        max: -1n,
        firstRow: row,
        slowestRow: row,
      };
      byKey.set(key, entry);
    }
    const duration = trace.spans.duration[row]!;
    entry.count++;
    if (isError(trace, row)) entry.errors++;
    entry.total += duration;
    entry.self += self[row]!;
    if (duration > entry.max) {
      entry.max = duration;
      entry.slowestRow = row;
    }
  }
  return [...byKey.values()].sort((a, b) => (a.self === b.self ? 0 : a.self > b.self ? -1 : 1));
}
