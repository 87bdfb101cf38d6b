// Found traces as rows: what it was, how long it took, who took part, when.
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import { serviceCss } from '../../base/colour';
import { formatCount, plural } from '../../base/number';
import { formatAgo, formatDateTime, formatDuration, MS } from '../../base/time';
import type { TraceHit } from '../../client/api';
import { Icon } from '../../widgets/Icon';
import { useTick } from '../../widgets/hooks';

const CHIPS_MAX = 5;

export function ResultList({
  hits,
  onHover,
}: {
  hits: TraceHit[];
  onHover(traceId: string | undefined): void;
}) {
  const now = BigInt(useTick(15_000)) * MS;
  const longest = hits.reduce((a, h) => (h.durationNs > a ? h.durationNs : a), 1n);
  return (
    <ul className="hits" onMouseLeave={() => onHover(undefined)}>
      {hits.map((hit) => (
        <li key={hit.traceId} onMouseEnter={() => onHover(hit.traceId)}>
          <HitRow
            hit={hit}
            when={formatAgo(hit.startNs, now)}
            share={Math.sqrt(Number(hit.durationNs) / Number(longest))}
          />
        </li>
      ))}
    </ul>
  );
}

const HitRow = memo(function HitRow({ hit, when, share }: { hit: TraceHit; when: string; share: number }) {
  const span = hit.spans[0];
  const matchedElsewhere =
    span !== undefined &&
    hit.matched < hit.spanCount &&
    (span.name !== hit.rootName || span.service !== hit.rootService);
  return (
    <Link
      to="/trace/$traceId"
      params={{ traceId: hit.traceId } as never}
      search={(matchedElsewhere ? { span: span.spanId } : {}) as never}
      className="hit"
      preload={false}
    >
      <span className="hit-stripe" style={{ background: serviceCss(hit.rootService) }} />
      <span className="hit-what">
        <span className="hit-title">
          {hit.rootService ? <b>{hit.rootService}</b> : <b className="muted">root not seen yet</b>}{' '}
          <span>{hit.rootName}</span>
        </span>
        <span className="hit-sub">
          {matchedElsewhere && (
            <span className="hit-match" title="The first span that matches">
              <Icon name="filter" size={11} /> {span.service} <b>{span.name}</b>
              {hit.matched > 1 && ` +${formatCount(hit.matched - 1)}`}
            </span>
          )}
          <Chips services={hit.services} />
        </span>
      </span>
      <span className="hit-duration">
        <b className="num">{formatDuration(hit.durationNs)}</b>
        <span className="hit-bar">
          <span
            className={hit.errorCount > 0 ? 'bad' : ''}
            style={{ width: `${Math.max(1.5, share * 100)}%` }}
          />
        </span>
      </span>
      <span className="hit-counts num">
        <span>{plural(hit.spanCount, 'span')}</span>
        {hit.errorCount > 0 && (
          <span className="badge badge-error">
            <Icon name="error" size={11} /> {plural(hit.errorCount, 'error')}
          </span>
        )}
      </span>
      <span className="hit-when num" title={formatDateTime(hit.startNs)}>
        {when}
        <small>{formatDateTime(hit.startNs).slice(11, 19)}</small>
      </span>
    </Link>
  );
});

function Chips({ services }: { services: TraceHit['services'] }) {
  const sorted = [...services].sort((a, b) => b.errorCount - a.errorCount || b.spanCount - a.spanCount);
  return (
    <>
      {sorted.slice(0, CHIPS_MAX).map((s) => (
        <span
          key={s.name}
          className={`chip ${s.errorCount > 0 ? 'bad' : ''}`}
          title={`${s.name}: ${plural(s.spanCount, 'span')}, ${plural(s.errorCount, 'error')}`}
        >
          <span className="dot" style={{ background: serviceCss(s.name) }} />
          {s.name || 'no service name'} <span className="faint num">{formatCount(s.spanCount)}</span>
        </span>
      ))}
      {sorted.length > CHIPS_MAX && <span className="chip faint">+{sorted.length - CHIPS_MAX}</span>}
    </>
  );
}
