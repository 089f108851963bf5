import { sha256OfFile } from './file-hash.ts';
import { RememberedFacts } from './remembered-facts.ts';

const facts = new RememberedFacts();
const FACT = 'sha256';

/** The sha256 of a file, read whole once as long as it does not change, by whatever process. */
export async function rememberedSha256(file: string): Promise<string> {
  const known = facts.recall(file, FACT);
  if (known !== undefined && /^[0-9a-f]{64}$/.test(known)) return known;
  const since = Date.now();
  const text = await sha256OfFile(file);
  facts.remember(file, FACT, { text, since });
  return text;
}
