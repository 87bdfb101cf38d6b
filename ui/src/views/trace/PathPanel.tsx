// Which operation holds how much of the critical path.
import { useMemo, useState } from 'react';
import { serviceCss } from '../../base/colour';
import { formatPercent, plural } from '../../base/number';
import { formatDuration } from '../../base/time';
import { pathShares } from '../../trace/criticalPath';
import type { TraceViewModel } from './useTraceView';

const SHOWN_MAX = 200;
/** What holds less is shown on demand. */
const SHARE_MIN = 0.01;

export function PathPanel({ view }: { view: TraceViewModel }) {
  const { trace, sections } = view;
  const { total, shares } = useMemo(() => pathShares(trace, sections), [trace, sections]);
  const [all, setAll] = useState(false);
  const top = shares[0];
  if (!top) return <p className="hint">This trace has no length, so nothing is on its critical path.</p>;
  const shown = shares.filter((s, i) => i < SHOWN_MAX && (all || i === 0 || s.share >= SHARE_MIN));
  const rest = shares.slice(shown.length);
  return (
    <div className="path-panel">
      <p className="path-answer">
        <b>{formatPercent(top.share)}</b> of the {formatDuration(total)} that{' '}
        {trace.roots.length > 1 ? 'these roots' : 'the root'} took was spent waiting for <b>{top.service}</b>{' '}
        <span>{top.target ? `${top.name} ${top.target}` : top.name}</span>.
      </p>
      {!view.path && (
        <button type="button" className="button" onClick={() => view.setPath(true)}>
          Draw it on the waterfall
        </button>
      )}
      <ol className="shares">
        {shown.map((s) => (
          <li key={`${s.service}/${s.name}/${s.target}`}>
            <button
              type="button"
              onClick={() => view.select(s.rows[0]!)}
              title="Select the span that holds most of it"
            >
              <span className="share-head">
                <span className="dot" style={{ background: serviceCss(s.service) }} />
                <span className="share-name">
                  <b>{s.service}</b> {s.name} <span className="faint">{s.target}</span>
                </span>
                <span className="num">{formatDuration(s.ns)}</span>
                <span className="num share-percent">{formatPercent(s.share)}</span>
              </span>
              <span className="share-bar">
                <span style={{ width: `${s.share * 100}%`, background: serviceCss(s.service) }} />
              </span>
              {s.rows.length > 1 && <span className="faint">{plural(s.rows.length, 'span')} in turn</span>}
            </button>
          </li>
        ))}
      </ol>
      {rest.length > 0 && (
        <p className="hint">
          and {plural(rest.length, 'operation')} with less,{' '}
          {formatPercent(rest.reduce((sum, s) => sum + s.share, 0))} together{' '}
          {!all && (
            <button type="button" className="link-button" onClick={() => setAll(true)}>
              Show them
            </button>
          )}
        </p>
      )}
      <p className="hint">
        At each moment the path runs through the span that the root was waiting for. Work that outlives its
        caller, and consumers of a message, hold nobody up and are left out.
      </p>
    </div>
  );
}
