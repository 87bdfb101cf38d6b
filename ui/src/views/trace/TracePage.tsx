// One trace by id: loading, missing, broken, or there.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ViewProps } from '../../base/url';
import { ApiError } from '../../client/api';
import { traceQuery } from '../../client/queries';
import { Notice, Skeleton } from '../../widgets/Notice';
import { TraceView } from './TraceView';
import './trace.css';

export function TracePage({ traceId, params, update }: ViewProps & { traceId: string }) {
  const query = useQuery(traceQuery(traceId));
  const retry = (
    <>
      <button type="button" className="button" onClick={() => void query.refetch()}>
        Look again
      </button>
      <Link to="/" className="button">
        Search traces
      </Link>
    </>
  );
  if (query.isPending) {
    return (
      <div className="trace-page">
        <title>Loading trace · weft</title>
        <Skeleton rows={16} />
      </div>
    );
  }
  if (query.isError) {
    const missing = query.error instanceof ApiError && query.error.status === 404;
    return (
      <Notice
        tone={missing ? 'plain' : 'error'}
        icon={missing ? 'search' : 'error'}
        title={missing ? 'No such trace is stored.' : 'The trace could not be loaded.'}
        actions={retry}
      >
        <span className="mono">{traceId}</span>
        <br />
        {missing ? 'It may not have arrived yet, or it is older than what is kept.' : query.error.message}
      </Notice>
    );
  }
  if (query.data.count === 0) return <Notice title="This trace has no spans." actions={retry} />;
  return (
    <TraceView
      trace={query.data}
      params={params}
      update={update}
      refreshing={query.isFetching}
      onRefresh={() => void query.refetch()}
    />
  );
}
