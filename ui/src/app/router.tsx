// The routes. Each page is a chunk of its own.
import {
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  lazyRouteComponent,
  Link,
} from '@tanstack/react-router';
import { Notice } from '../widgets/Notice';
import { Shell } from './Shell';
import { parseUrl, printUrl } from './urlState';

const rootRoute = createRootRoute({
  component: () => (
    <Shell>
      <Outlet />
    </Shell>
  ),
  notFoundComponent: () => (
    <Notice
      title="There is no such page."
      actions={
        <Link className="button" to="/">
          Search traces
        </Link>
      }
    />
  ),
});

const validateSearch = (search: Record<string, unknown>) => search as Record<string, string>;

const searchRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch,
  component: lazyRouteComponent(() => import('./SearchRoute'), 'SearchRoute'),
});

export const traceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/trace/$traceId',
  validateSearch,
  component: lazyRouteComponent(() => import('./TraceRoute'), 'TraceRoute'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([searchRoute, traceRoute]),
  parseSearch: parseUrl,
  stringifySearch: printUrl,
  defaultPreload: 'intent',
  defaultErrorComponent: ({ error }) => (
    <Notice tone="error" icon="error" title="This page failed.">
      {error.message}
    </Notice>
  ),
});
