// The answer: scatter, headline, list, more; or why there is none.
import type { UseInfiniteQueryResult, InfiniteData } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { formatBytes, formatCount, plural } from '../../base/number';
import { describeRange, type RangeText } from '../../base/range';
import { formatDuration } from '../../base/time';
import { ApiError, type SearchAnswer } from '../../client/api';
import { Icon } from '../../widgets/Icon';
import { Notice, Skeleton } from '../../widgets/Notice';
import { ResultList } from './ResultList';
import { Scatter } from './Scatter';
import { sortHits, type Sort } from './state';

type Page = SearchAnswer & { start: bigint; end: bigint };

interface Props {
  search: UseInfiniteQueryResult<InfiniteData<Page>>;
  range: RangeText;
  sort: Sort;
  sorts: Record<Sort, string>;
  onSort(sort: Sort): void;
  onRange(range: RangeText): void;
  onClear(): void;
}

export function Results({ search, range, sort, sorts, onSort, onRange, onClear }: Props) {
  const navigate = useNavigate();
  const [hovered, setHovered] = useState<string>();
  const pages = search.data?.pages;
  const hits = useMemo(() => pages?.flatMap((p) => p.traces) ?? [], [pages]);
  const sorted = useMemo(() => sortHits(hits, sort), [hits, sort]);
  const { hasNextPage } = search;
  // The newest come first: while older ones are not loaded, the scatter shows the time that is.
  const bounds = useMemo(() => {
    if (!pages?.[0]) return undefined;
    const { start, end } = pages[0];
    const oldest = hits[hits.length - 1]?.startNs;
    return {
      start: hasNextPage && oldest !== undefined && oldest > start ? oldest - (end - oldest) / 50n : start,
      end,
    };
  }, [pages, hits, hasNextPage]);

  if (search.isError) return <Failure error={search.error} onRetry={() => void search.refetch()} />;
  if (!pages || !bounds)
    return (
      <section className="results">
        <Skeleton rows={12} />
      </section>
    );
  if (hits.length === 0) return <NoHits range={range} onRange={onRange} onClear={onClear} />;
  const last = pages[pages.length - 1]!;
  const elapsedUs = pages[0]!.stats.elapsedUs;
  const bytes = pages[0]!.stats.bytes;
  return (
    <section
      className={`results ${search.isPlaceholderData ? 'stale' : ''}`}
      aria-label="Results"
      aria-busy={search.isFetching}
    >
      <Scatter
        hits={hits}
        range={bounds}
        highlighted={hovered}
        onOpen={(traceId) => void navigate({ to: '/trace/$traceId', params: { traceId } as never })}
        onBrush={({ start, end }) => onRange({ start: start.toString(), end: end.toString() })}
      />
      <div className="results-head">
        <h2>{search.hasNextPage ? `${formatCount(hits.length)}+ traces` : plural(hits.length, 'trace')}</h2>
        {elapsedUs !== undefined && (
          <span className="faint">
            in {formatDuration(BigInt(Math.round(elapsedUs)) * 1000n)}
            {bytes !== undefined && bytes > 0 && `, ${formatBytes(bytes)} read`}
          </span>
        )}
        {!last.complete && (
          <span className="badge badge-warn" role="status">
            <Icon name="error" size={11} /> incomplete: {last.reason ?? 'a limit was reached'}
          </span>
        )}
        <label className="sort">
          <span className="faint">
            {search.hasNextPage && sort !== 'newest' ? 'Of those loaded,' : 'Sort'}
          </span>
          <select value={sort} onChange={(e) => onSort(e.target.value as Sort)} aria-label="Sort">
            {Object.entries(sorts).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <ResultList hits={sorted} onHover={setHovered} />
      {search.hasNextPage && (
        <button
          type="button"
          className="button more"
          disabled={search.isFetchingNextPage}
          onClick={() => void search.fetchNextPage()}
        >
          {search.isFetchingNextPage ? 'Loading…' : 'Load older traces'}
        </button>
      )}
    </section>
  );
}

function NoHits({
  range,
  onRange,
  onClear,
}: {
  range: RangeText;
  onRange(range: RangeText): void;
  onClear(): void;
}) {
  return (
    <section className="results">
      <Notice
        title="No trace matches."
        actions={
          <>
            <button
              type="button"
              className="button"
              onClick={() => onRange({ start: 'now-24h', end: 'now' })}
            >
              Look at the last 24 hours
            </button>
            <button type="button" className="button" onClick={onClear}>
              Clear the filters
            </button>
          </>
        }
      >
        {describeRange(range)}. All conditions must hold on one and the same span.
      </Notice>
    </section>
  );
}

function Failure({ error, onRetry }: { error: Error; onRetry(): void }) {
  const inQuery = error instanceof ApiError && error.at !== undefined;
  return (
    <section className="results">
      <Notice
        tone="error"
        icon="error"
        title={inQuery ? 'The query could not be read.' : 'The search failed.'}
        actions={
          !inQuery && (
            <button type="button" className="button" onClick={onRetry}>
              Try again
            </button>
          )
        }
      >
        {inQuery ? 'The place is marked in the text above.' : error.message}
      </Notice>
    </section>
  );
}
