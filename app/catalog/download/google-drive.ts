/**
 * Google Drive answers requests for large files with a page that asks whether to go on without a virus scan. The shapes of
 * it, newest first, are those that wkentaro/gdown knows (gdown/download.py @ get_url_from_gdrive_confirmation).
 */

const FORM = /<form\b[^>]*\bid="(?:download-form|uc-download-form|downloadForm)"[^>]*>([\s\S]*?)<\/form>/i;
const LINK = /href="(\/uc\?export=download[^"]+)"/i;

/** The URL behind the page's "download anyway"; undefined where the page is not that page. */
export function driveConfirmation(html: string, page: URL): URL | undefined {
  const form = FORM.exec(html);
  if (form) return formUrl(form[0], form[1] ?? '', page);
  const link = LINK.exec(html)?.[1];
  return link === undefined ? undefined : new URL(decodeEntities(link), page);
}

/** What a page of Google Drive gives as the reason for not giving the file, e.g. a quota; else the title of any page. */
export function pageMessage(html: string): string | undefined {
  const text =
    /class="uc-error-subcaption">([\s\S]*?)<\/p>/i.exec(html)?.[1] ?? /<title>([\s\S]*?)<\/title>/i.exec(html)?.[1];
  const plain =
    text &&
    decodeEntities(text.replace(/<[^>]*>/g, ''))
      .replace(/\s+/g, ' ')
      .trim();
  return plain ? plain.slice(0, 200) : undefined;
}

function formUrl(form: string, inside: string, page: URL): URL | undefined {
  const action = attribute(form, 'action');
  if (action === undefined || !URL.canParse(action, page.href)) return undefined;
  const url = new URL(action, page);
  for (const [input] of inside.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(input, 'name');
    if (name !== undefined && attribute(input, 'type') === 'hidden')
      url.searchParams.set(name, attribute(input, 'value') ?? '');
  }
  return url;
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1];
  return value === undefined ? undefined : decodeEntities(value);
}

function decodeEntities(text: string): string {
  return text
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}
