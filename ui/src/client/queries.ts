// How the one query cache names, keeps and refreshes what the API answers.
import { infiniteQueryOptions, keepPreviousData, QueryClient, queryOptions } from '@tanstack/react-query';
import { nowNs } from '../base/time';
import { resolveRange, type RangeText } from '../base/range';
import * as api from './api';

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        refetchOnWindowFocus: false,
        staleTime: 60_000,
        // The server said no: asking again will not help. It did not answer at all: it may be starting.
        retry: (failures, error) => failures < 2 && error instanceof api.ApiError && error.status === 0,
        retryDelay: 400,
      },
    },
  });
}

const bounds = (range: RangeText): api.Bounds => {
  const resolved = resolveRange(range, nowNs());
  return 'problem' in resolved ? {} : { start: resolved.start.toString(), end: resolved.end.toString() };
};

export const servicesQuery = (range: RangeText) =>
  queryOptions({
    queryKey: ['services', range.start, range.end],
    queryFn: ({ signal }) => api.getServices(bounds(range), signal),
    placeholderData: keepPreviousData,
  });

export const operationsQuery = (service: string, range: RangeText) =>
  queryOptions({
    queryKey: ['operations', service, range.start, range.end],
    queryFn: ({ signal }) => api.getOperations(service, bounds(range), signal),
    placeholderData: keepPreviousData,
  });

export const attributesQuery = (range: RangeText) =>
  queryOptions({
    queryKey: ['attributes', range.start, range.end],
    queryFn: ({ signal }) => api.getAttributes(bounds(range), signal),
    placeholderData: keepPreviousData,
  });

export const attributeValuesQuery = (key: string, prefix: string, range: RangeText) =>
  queryOptions({
    queryKey: ['attribute-values', key, prefix, range.start, range.end],
    queryFn: ({ signal }) => api.getAttributeValues(key, prefix, bounds(range), signal),
  });

export const PAGE_SIZE = 200;

interface Page {
  cursor: string;
  start: string;
  end: string;
}

/**
 * `run` counts how often the user asked: the same question asked again is a new one, since "now" has moved. Later pages ask with
 * the bounds that the first page resolved, as the cursor demands.
 */
export const searchQuery = (q: string, range: RangeText, run: number) =>
  infiniteQueryOptions({
    queryKey: ['search', q, range.start, range.end, run],
    queryFn: async ({ signal, pageParam }) => {
      const { start, end } = pageParam ?? bounds(range);
      const answer = await api.searchTraces(
        { q: q.trim() || '{}', start, end, cursor: pageParam?.cursor, limit: PAGE_SIZE },
        signal,
      );
      return { ...answer, start: BigInt(start ?? '0'), end: BigInt(end ?? '0') };
    },
    initialPageParam: undefined as Page | undefined,
    getNextPageParam: (last): Page | undefined =>
      last.nextCursor === undefined
        ? undefined
        : { cursor: last.nextCursor, start: last.start.toString(), end: last.end.toString() },
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

export const traceQuery = (traceId: string) =>
  queryOptions({
    queryKey: ['trace', traceId],
    queryFn: ({ signal }) => api.getTrace(traceId, signal),
    staleTime: 10_000,
    gcTime: 120_000,
    structuralSharing: false,
  });

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => api.getStatus(signal),
  staleTime: 5_000,
});
