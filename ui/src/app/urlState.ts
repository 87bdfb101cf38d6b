// View state lives in the URL. Parameters are plain text; each view gives them meaning.
//
// A change that follows the hand (moving through spans, typing) replaces the entry, at most every 150 ms, because browsers refuse
// floods of history calls; what is shown meanwhile is the pending state, which is on its way into the URL.
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { UpdateUrl, UrlParams, UrlPatch } from '../base/url';

export function parseUrl(text: string): UrlParams {
  return Object.fromEntries(new URLSearchParams(text));
}

export function printUrl(params: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params))
    if (value !== undefined && value !== '') query.set(key, String(value));
  // Keep what is readable in a query string readable: { } " : , / = have no meaning there for browsers or for us.
  const text = query.toString().replace(/%2F/g, '/').replace(/%3A/g, ':').replace(/%2C/g, ',');
  return text === '' ? '' : `?${text}`;
}

const FLUSH_MS = 150;

interface Pending {
  params: UrlParams;
  /** not handed to the router yet */
  waiting: boolean;
}

export function useUrlState(): { params: UrlParams; update: UpdateUrl } {
  const current = useSearch({ strict: false }) as UrlParams;
  const navigate = useNavigate();
  const router = useRouter();
  const [pending, setPending] = useState<Pending>();
  const [seen, setSeen] = useState(current);
  if (current !== seen) {
    setSeen(current);
    // What was flushed has arrived; what is newer than that stays.
    if (pending && !pending.waiting) setPending(undefined);
  }
  const params = pending?.params ?? current;
  const latest = useRef(params);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    latest.current = params;
  }, [params]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const update = useCallback(
    (patch: UrlPatch, push = false) => {
      const next = Object.fromEntries(
        Object.entries({ ...latest.current, ...patch }).filter(
          ([, value]) => value !== undefined && value !== '',
        ),
      ) as UrlParams;
      latest.current = next;
      clearTimeout(timer.current);
      const page = router.latestLocation.pathname;
      const flush = () => {
        // Someone has left for another page meanwhile: its parameters are none of ours.
        if (router.latestLocation.pathname !== page) return;
        setPending({ params: next, waiting: false });
        void navigate({ to: '.', search: next as never, replace: !push });
      };
      if (push) return flush();
      setPending({ params: next, waiting: true });
      timer.current = setTimeout(flush, FLUSH_MS);
    },
    [navigate, router],
  );
  return { params, update };
}
