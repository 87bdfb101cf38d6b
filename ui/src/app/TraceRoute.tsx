import { useParams } from '@tanstack/react-router';
import { TracePage } from '../views/trace/TracePage';
import { useUrlState } from './urlState';

export function TraceRoute() {
  const { traceId = '' } = useParams({ strict: false }) as { traceId?: string };
  // Links from other tools may leave out leading zeros or use capitals.
  const id = traceId.toLowerCase().padStart(32, '0');
  return <TracePage key={id} traceId={id} {...useUrlState()} />;
}
