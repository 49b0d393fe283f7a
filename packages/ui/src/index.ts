export { AppPage } from './apps/app-page.tsx';
export { HostProvider, Link, useHost, type Host, type Paths, type RunRight } from './host.tsx';
export { useLoaded, type Loaded } from './data/use-loaded.ts';
export { ActionButton } from './parts/action-button.tsx';
export { ErrorNotice, Loading, Nothing } from './parts/notice.tsx';
export { Time } from './parts/time.tsx';
export { StateBadge } from './parts/state-badge.tsx';
export { Page, pageAt, PageLinks, pathsAt, type PageRoute } from './pages.tsx';
export { RunsPage } from './runs/runs-page.tsx';
