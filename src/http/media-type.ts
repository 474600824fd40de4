/** The media type that a Content-Type names, without its parameters, and the first where it names several; types are the same in any letter case. */
export const mediaTypeOf = (contentType: string | null): string =>
  (contentType ?? '')
    .replace(/[;,].*$/s, '')
    .trim()
    .toLowerCase();
