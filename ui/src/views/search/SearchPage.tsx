// The search page: a question (form and TraceQL, kept in step), its answer as a scatter and as a list.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { RangeText } from '../../base/range';
import type { ViewProps } from '../../base/url';
import { ApiError } from '../../client/api';
import { searchQuery, servicesQuery, statusQuery } from '../../client/queries';
import { isReadable, parseFilter } from '../../traceql/filter';
import { useHotkeys } from '../../widgets/hooks';
import { FilterForm } from './FilterForm';
import { FirstRun } from './FirstRun';
import { QueryBar } from './QueryBar';
import { Results } from './Results';
import { queryPatch, rangePatch, readState, SORTS, type Sort } from './state';
import './search.css';

export function SearchPage({ params, update }: ViewProps) {
  const { q, range, sort } = readState(params);
  const [draft, setDraft] = useState(q);
  const [run, setRun] = useState(0);
  const [lastQ, setLastQ] = useState(q);
  if (q !== lastQ) {
    setLastQ(q);
    setDraft(q);
  }
  const status = useQuery(statusQuery);
  const services = useQuery(servicesQuery(range));
  const search = useInfiniteQuery(searchQuery(q, range, run));
  const filter = useMemo(() => parseFilter(draft), [draft]);
  const isEmpty = status.data !== undefined && status.data.liveSpans + status.data.storedSpans === 0;

  const ask = (text: string) => {
    setDraft(text.trim() === '' ? '{}' : text);
    if (text.trim() === q.trim()) setRun((n) => n + 1);
    else update(queryPatch(text), true);
  };
  const setRange = (next: RangeText) => update(rangePatch(next), true);
  useHotkeys({
    '/': () => document.querySelector<HTMLElement>('.query-editor .cm-content')?.focus(),
    r: () => setRun((n) => n + 1),
    j: () => moveFocus(1),
    k: () => moveFocus(-1),
  });

  if (isEmpty) return <FirstRun />;
  const error = search.error instanceof ApiError ? search.error : undefined;
  return (
    <div className="search-page">
      <title>Search · weft</title>
      <QueryBar
        draft={draft}
        range={range}
        busy={search.isFetching}
        error={error?.at ? error : undefined}
        onDraft={setDraft}
        onAsk={ask}
        onRange={setRange}
      />
      <aside className="search-side" aria-label="Filters">
        <FilterForm
          filter={filter}
          readable={filter !== undefined || isReadable(draft)}
          range={range}
          services={services.data ?? []}
          onChange={ask}
          onReset={() => ask('{}')}
        />
      </aside>
      <Results
        search={search}
        range={range}
        sort={sort}
        onSort={(next: Sort) => update({ sort: next === 'newest' ? undefined : next })}
        sorts={SORTS}
        onRange={setRange}
        onClear={() => ask('{}')}
      />
    </div>
  );
}

function moveFocus(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.hit')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))]?.focus();
}
