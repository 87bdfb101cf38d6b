// The HTTP API (proto/openapi.yaml), one function per endpoint: the only place that talks to the server.
import { buildTrace, type Trace } from '../trace/model';
import { array, boolean, int64, number, object, oneOf, optional, string, type Decoder } from './decode';
import { decodeTrace } from './decodeTrace';

/** A refusal of the server, with where in the query it lies when it lies there. */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly at?: { line?: number; column?: number; offset?: number; length?: number },
  ) {
    super(message);
  }
}

const errorBody = object({
  error: object({
    code: string,
    message: string,
    line: optional(number),
    column: optional(number),
    offset: optional(number),
    length: optional(number),
  }),
});

type Params = Record<string, string | number | undefined>;

async function get<T>(
  path: string,
  params: Params,
  decode: (json: unknown) => T,
  signal?: AbortSignal,
): Promise<T> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params))
    if (value !== undefined && value !== '') query.set(key, String(value));
  const text = query.toString();
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}${text && `?${text}`}`, { signal, headers: { Accept: ACCEPT } });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError('The weft server does not answer. Is it running?', 0, 'unreachable');
  }
  if (!response.ok) throw await refusal(response);
  return decode(await response.json());
}

const ACCEPT = 'application/vnd.weft.columns+json, application/json;q=0.5';

async function refusal(response: Response): Promise<ApiError> {
  const body = await response.text();
  try {
    const { error } = errorBody(JSON.parse(body), '');
    return new ApiError(
      error.message,
      response.status,
      error.code,
      error.line === undefined ? undefined : error,
    );
  } catch {
    return new ApiError(
      `${response.status} ${response.statusText}: ${body.slice(0, 200)}`,
      response.status,
      'unknown',
    );
  }
}

export interface Bounds {
  start?: string;
  end?: string;
}

const whole =
  <T>(decoder: Decoder<T>) =>
  (json: unknown) =>
    decoder(json, '');

const counted = object({ name: string, spanCount: number, errorCount: number });
const servicesAnswer = whole(object({ services: array(counted) }));
export const getServices = async (range: Bounds, signal?: AbortSignal) =>
  (await get('services', { ...range }, servicesAnswer, signal)).services;

const kind = oneOf('unspecified', 'internal', 'server', 'client', 'producer', 'consumer');
const operationsAnswer = whole(
  object({ operations: array(object({ name: string, kind, spanCount: number, errorCount: number })) }),
);
export const getOperations = async (service: string, range: Bounds, signal?: AbortSignal) =>
  (await get('operations', { service, ...range }, operationsAnswer, signal)).operations;

const scope = oneOf('span', 'resource', 'event', 'link', 'instrumentation');
const attributesAnswer = whole(
  object({ attributes: array(object({ scope, key: string, types: array(string) })) }),
);
export const getAttributes = async (range: Bounds, signal?: AbortSignal) =>
  (await get('attributes', { ...range }, attributesAnswer, signal)).attributes;

const valuesAnswer = whole(
  object({ values: array(object({ type: string, value: string, count: number })), complete: boolean }),
);
export const getAttributeValues = (key: string, prefix: string, range: Bounds, signal?: AbortSignal) =>
  get('attribute-values', { key, prefix, limit: 50, ...range }, valuesAnswer, signal);

const status = oneOf('unset', 'ok', 'error');
const hit = object({
  traceId: string,
  startNs: int64,
  durationNs: int64,
  rootService: string,
  rootName: string,
  spanCount: number,
  errorCount: number,
  services: array(counted),
  matched: number,
  spans: array(
    object({
      spanId: string,
      name: string,
      service: string,
      kind,
      status,
      startNs: int64,
      durationNs: int64,
    }),
  ),
});
export type TraceHit = ReturnType<typeof hit>;

const searchAnswer = whole(
  object({
    traces: array(hit),
    nextCursor: optional(string),
    complete: boolean,
    reason: optional(string),
    stats: object({ rows: optional(number), bytes: optional(number), elapsedUs: optional(number) }),
  }),
);
export type SearchAnswer = ReturnType<typeof searchAnswer>;

export interface SearchRequest extends Bounds {
  q: string;
  limit: number;
  cursor?: string;
}

export const searchTraces = (request: SearchRequest, signal?: AbortSignal) =>
  get('search', { ...request, spansPerTrace: 1 }, searchAnswer, signal);

export const getTrace = (traceId: string, signal?: AbortSignal): Promise<Trace> =>
  get(`traces/${traceId}`, { format: 'columns' }, (json) => buildTrace(decodeTrace(json)), signal);

const statusAnswer = whole(
  object({
    version: string,
    startNs: int64,
    liveSpans: number,
    storedSpans: number,
    blocks: number,
    bytes: number,
    oldestNs: optional(int64),
    newestNs: optional(int64),
  }),
);
export type ServerStatus = ReturnType<typeof statusAnswer>;
export const getStatus = (signal?: AbortSignal) => get('status', {}, statusAnswer, signal);
