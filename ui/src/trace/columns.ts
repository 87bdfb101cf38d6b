// The trace as the server sends it (TraceColumns in proto/openapi.yaml), checked and with exact times, but not yet derived from.

/** Flat: key (dictionary index), type, value, key, type, value, ... */
export type RawAttributes = readonly unknown[];

export const ValueType = {
  empty: 0,
  string: 1,
  int: 2,
  double: 3,
  bool: 4,
  bytes: 5,
  array: 6,
  kvlist: 7,
} as const;

export const TRACE_FLAGS = [
  'root_missing',
  'orphans',
  'duplicate_ids',
  'cycles',
  'fragment',
  'clock_skew',
] as const;
export type TraceFlag = (typeof TRACE_FLAGS)[number];

export const Mark = {
  orphan: 1,
  duplicateId: 2,
  cycleBroken: 4,
  startsBeforeParent: 8,
  endsAfterParent: 16,
} as const;

export const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export const Kind = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export const STATUSES = ['unset', 'ok', 'error'] as const;
export const Status = { unset: 0, ok: 1, error: 2 } as const;

export interface ResourceColumns {
  service: number;
  schemaUrl?: number;
  droppedAttributes?: number;
  attributes: RawAttributes;
}

export interface ScopeColumns {
  name: number;
  version: number;
  schemaUrl?: number;
  droppedAttributes?: number;
  attributes: RawAttributes;
}

/** Row i of every array is span i; rows are in preorder, parents before children. */
export interface SpanColumns {
  id: string[];
  parentId: string[];
  parent: Int32Array;
  subtreeSize: Int32Array;
  /** ns after the trace's start */
  start: BigInt64Array;
  /** ns; negative when the end precedes the start */
  duration: BigInt64Array;
  name: Int32Array;
  kind: Uint8Array;
  status: Uint8Array;
  statusMessage: Int32Array;
  resource: Int32Array;
  scope: Int32Array;
  flags: Float64Array;
  traceState: Int32Array;
  droppedAttributes?: Int32Array;
  droppedEvents?: Int32Array;
  droppedLinks?: Int32Array;
  marks: Uint8Array;
  attributes: RawAttributes[];
}

export interface EventColumns {
  span: Int32Array;
  /** ns after the trace's start */
  time: BigInt64Array;
  name: Int32Array;
  droppedAttributes?: Int32Array;
  attributes: RawAttributes[];
}

export interface LinkColumns {
  span: Int32Array;
  traceId: string[];
  spanId: string[];
  traceState: Int32Array;
  flags?: Float64Array;
  droppedAttributes?: Int32Array;
  attributes: RawAttributes[];
}

export interface TraceColumns {
  traceId: string;
  startNs: bigint;
  endNs: bigint;
  flags: TraceFlag[];
  dictionary: string[];
  resources: ResourceColumns[];
  scopes: ScopeColumns[];
  spans: SpanColumns;
  events: EventColumns;
  links: LinkColumns;
}
