import { loadConfig, SECRET_VARIABLES } from '../config.ts';
import { envFile } from '../files/env-file.ts';
import { environment } from '../options/environment.ts';

/** One variable of the service: what it is now, and who said so. */
export interface Setting {
  readonly name: string;
  /** Checked, and null where there is none; of secrets only that there is one. Folders are absolute. */
  readonly value: SettingValue;
  readonly source: 'default' | '.env' | 'environment';
  readonly is_secret: boolean;
}

type SettingValue = string | number | boolean | null | readonly string[];

const MASK = '***';

/**
 * Every variable that the service reads, as `loadConfig` takes it. What is set goes before the `.env` of the working folder, and
 * an empty value counts as unset.
 * @throws BadConfigError that names every bad variable at once
 */
export function currentSettings(): readonly Setting[] {
  const outside = { ...process.env }; // loading the configuration adds those of the file
  const inFile = envFile();
  const { modelsDir, uploadFolder, processedFolder } = loadConfig();
  const names = Object.keys(environment.shape);
  const given = names.map((name) => [name, (outside[name] ?? inFile[name] ?? '').trim()] as const);
  const set = Object.fromEntries(given.filter(([, value]) => value !== ''));
  const values: Readonly<Record<string, SettingValue | undefined>> = {
    ...environment.parse(set),
    ...{ MODELS_DIR: modelsDir, UPLOAD_FOLDER: uploadFolder, PROCESSED_FOLDER: processedFolder },
  };
  return names.map((name) => ({
    name,
    value: shown(name, values[name], name in set),
    source: !(name in set) ? 'default' : outside[name] === undefined ? '.env' : 'environment',
    is_secret: SECRET_VARIABLES.includes(name),
  }));
}

function shown(name: string, value: SettingValue | undefined, isSet: boolean): SettingValue {
  if (SECRET_VARIABLES.includes(name)) return isSet ? MASK : null;
  return typeof value === 'string' ? withoutPassword(value) : (value ?? null);
}

/** A mirror's URL may hold a user and a password. */
function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${MASK}@`);
}
