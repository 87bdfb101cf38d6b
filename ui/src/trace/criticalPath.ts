// The critical path: at each moment of a root's life, which span the answer was waiting for.
//
// 1. Prune: a child that does not block its parent is left out with all that is below it: a CONSUMER under a PRODUCER, and a child
//    that outlives its parent on the parent's own clock (same resource, not a SERVER or CONSUMER): the parent ended without it,
//    so it cannot have waited for its end. A twentieth of its length is allowed, for spans are often ended in the wrong order by
//    a hair. On two clocks the same picture is skew, and step 2 clips it.
// 2. Clip, parents first: a child that lies wholly outside its parent is left out with all below it; one that sticks out is
//    cut to the parent.
// 3. Walk backwards from the root's end with a stack of frames {row, until}: of the children that end at or before `until`, take
//    the one that ends last (the first of equals). The gap between its end and `until` belongs to the span itself; then the child
//    is walked, and `until` becomes the child's start. With no child left, the rest down to the span's start is its own.
// 4. Every root is walked; a trace without its true root has one path per fragment.
//
// The children of a frame are visited once, in order of falling end, so the walk takes O(n log n) and ends although step 3
// allows "ends exactly where the next begins"; the stack is explicit, so a chain of 100,000 spans is no deeper than memory.
import { Kind } from './columns';
import { nameOf, serviceOf, type Trace } from './model';
import { targetOf } from './target';

/** The stretch [from, to) of the path that row holds; ns after the trace's start. */
export interface Section {
  row: number;
  from: bigint;
  to: bigint;
}

/** What the algorithm needs of a trace; a Trace is one. */
export interface PathInput {
  count: number;
  roots: number[];
  spans: Pick<Trace['spans'], 'start' | 'duration' | 'parent' | 'subtreeSize' | 'kind' | 'resource'>;
}

/** Sections from latest to earliest, root by root. */
export function criticalPath(trace: PathInput): Section[] {
  const clipped = clip(trace);
  const out: Section[] = [];
  for (const root of trace.roots) if (!clipped.dropped[root]) walk(trace, clipped, root, out);
  return out;
}

interface Clipped {
  from: BigInt64Array;
  to: BigInt64Array;
  dropped: Uint8Array;
}

function clip({ count, spans }: PathInput): Clipped {
  const from = new BigInt64Array(count);
  const to = new BigInt64Array(count);
  const dropped = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    let start = spans.start[row]!;
    let end = start + (spans.duration[row]! > 0n ? spans.duration[row]! : 0n);
    const parent = spans.parent[row]!;
    if (parent >= 0) {
      const parentEnd = to[parent]!;
      const outside = start >= parentEnd || end <= from[parent]!;
      if (dropped[parent] || outside || isAsync(spans, row, parent)) {
        dropped[row] = 1;
        continue;
      }
      if (end > parentEnd) end = parentEnd;
      if (start < from[parent]!) start = from[parent]!;
    }
    from[row] = start;
    to[row] = end;
  }
  return { from, to, dropped };
}

function isAsync(spans: PathInput['spans'], row: number, parent: number): boolean {
  const kind = spans.kind[row]!;
  if (kind === Kind.consumer) return spans.kind[parent] === Kind.producer;
  if (kind === Kind.server || spans.resource[row] !== spans.resource[parent]) return false;
  const over = spans.start[row]! + spans.duration[row]! - spans.start[parent]! - spans.duration[parent]!;
  return over * 20n > spans.duration[row]!;
}

interface Frame {
  row: number;
  until: bigint;
  /** children by falling end */
  children: number[];
  next: number;
}

function walk(trace: PathInput, clipped: Clipped, root: number, out: Section[]): void {
  const { from, to } = clipped;
  const stack: Frame[] = [frameOf(trace, clipped, root)];
  while (stack.length > 0) {
    const frame = stack[stack.length - 1]!;
    while (frame.next < frame.children.length && to[frame.children[frame.next]!]! > frame.until) frame.next++;
    const child = frame.children[frame.next];
    if (child !== undefined) {
      frame.next++;
      emit(out, frame.row, to[child]!, frame.until);
      frame.until = from[child]!;
      stack.push(frameOf(trace, clipped, child));
    } else {
      emit(out, frame.row, from[frame.row]!, frame.until);
      stack.pop();
    }
  }
}

function frameOf({ spans }: PathInput, { to, dropped }: Clipped, row: number): Frame {
  const children: number[] = [];
  const end = row + spans.subtreeSize[row]!;
  for (let child = row + 1; child <= end; child += spans.subtreeSize[child]! + 1)
    if (!dropped[child]) children.push(child);
  // A stable sort keeps the first of equals first.
  children.sort((a, b) => (to[a]! === to[b]! ? 0 : to[a]! > to[b]! ? -1 : 1));
  return { row, until: to[row]!, children, next: 0 };
}

function emit(out: Section[], row: number, from: bigint, to: bigint): void {
  if (to > from) out.push({ row, from, to });
}

/** The sections to draw on each row; what lies on hidden rows is shown on their nearest visible ancestor, merged where it touches. */
export function sectionsByRow(sections: Section[], shownOn: (row: number) => number): Map<number, Section[]> {
  const byRow = new Map<number, Section[]>();
  for (const section of sections) {
    const row = shownOn(section.row);
    const list = byRow.get(row);
    const last = list?.[list.length - 1];
    if (last && last.from === section.to) last.from = section.from;
    else if (list) list.push({ ...section, row });
    else byRow.set(row, [{ ...section, row }]);
  }
  return byRow;
}

export interface PathShare {
  service: string;
  name: string;
  /** see targetOf */
  target: string;
  ns: bigint;
  /** of the whole path, 0..1 */
  share: number;
  /** spans of this operation on the path, the one that holds most of it first */
  rows: number[];
}

/** Which operation holds how much of the path, the most first. */
export function pathShares(trace: Trace, sections: Section[]): { total: bigint; shares: PathShare[] } {
  const byOperation = new Map<
    string,
    { service: string; name: string; target: string; ns: bigint; rows: Map<number, bigint> }
  >();
  let total = 0n;
  for (const { row, from, to } of sections) {
    const service = serviceOf(trace, row);
    const name = nameOf(trace, row);
    const target = targetOf(trace, row);
    const key = `${service}\n${name}\n${target}`;
    const entry = byOperation.get(key) ?? { service, name, target, ns: 0n, rows: new Map<number, bigint>() };
    entry.ns += to - from;
    entry.rows.set(row, (entry.rows.get(row) ?? 0n) + (to - from));
    byOperation.set(key, entry);
    total += to - from;
  }
  const descending = (a: bigint, b: bigint) => (a === b ? 0 : a > b ? -1 : 1);
  const shares = [...byOperation.values()].map(({ service, name, target, ns, rows }) => ({
    service,
    name,
    target,
    ns,
    share: total > 0n ? Number(ns) / Number(total) : 0,
    rows: [...rows].sort((a, b) => descending(a[1], b[1])).map(([row]) => row),
  }));
  return { total, shares: shares.sort((a, b) => descending(a.ns, b.ns)) };
}
