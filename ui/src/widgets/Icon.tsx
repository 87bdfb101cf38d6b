// Line icons on a 16x16 grid, drawn here so that nothing is fetched.
const PATHS = {
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.8 10.8 14 14',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z',
  auto: 'M8 2a6 6 0 1 0 0 12V2Z M8 2a6 6 0 0 1 0 12',
  caret: 'M6 4l4 4-4 4',
  down: 'M4 6l4 4 4-4',
  up: 'M4 10l4-4 4 4',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'M3 8.5 6.5 12 13 4.5',
  filter: 'M2 3h12L9.5 8.5V13l-3-1.5v-3Z',
  find: 'M6.5 10.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM9.5 9.5 13.5 13.5',
  error: 'M8 1.8 14.8 13.6H1.2ZM8 6.2v3.6M8 11.4v.6',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.5V8l2.5 1.5',
  link: 'M6.5 9.5 9.5 6.5M7 4.5l1.2-1.2a3 3 0 0 1 4.3 4.3L11.3 8.8M9 11.5l-1.2 1.2a3 3 0 0 1-4.3-4.3L4.7 7.2',
  path: 'M2 12h3V8h5V4h4',
  help: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.2 6.2a1.8 1.8 0 1 1 2.6 1.9c-.6.3-.8.6-.8 1.2M8 11.2v.4',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3',
  zoom: 'M2 5V2h3M11 2h3v3M14 11v3h-3M5 14H2v-3',
  list: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  download: 'M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11',
  unlinked: 'M3 3l10 10M6 4.5 8.2 3.3a3 3 0 0 1 4.3 4.3M10 11.5l-2.2 1.2a3 3 0 0 1-4.3-4.3',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration unless it has a title. */
export function Icon({ name, size = 14, title }: { name: IconName; size?: number; title?: string }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      {...(title ? { role: 'img', 'aria-label': title } : { 'aria-hidden': true })}
    >
      {title && <title>{title}</title>}
      <path d={PATHS[name]} />
    </svg>
  );
}
