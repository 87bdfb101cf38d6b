// The shape of view state in the URL: what app/ hands to a view.
export type UrlParams = Readonly<Record<string, string>>;

/** undefined removes a parameter. */
export type UrlPatch = Record<string, string | undefined>;

/** `push` makes a new history entry: for what the Back button should undo. */
export type UpdateUrl = (patch: UrlPatch, push?: boolean) => void;

export interface ViewProps {
  params: UrlParams;
  update: UpdateUrl;
}
