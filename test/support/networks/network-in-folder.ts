import { afterAll, beforeAll } from '@jest/globals';
import type { TemporaryFolder } from '../temporary-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { NetworkProcess } from './network-process.ts';

/** To be read in tests and in what runs before them. */
export interface NetworkInFolder {
  readonly folder: string;
  readonly child: NetworkProcess;
}

/** A process that runs networks for the tests around the call, and a folder: both end with the last of the tests. */
export function networkInFolder(): NetworkInFolder {
  let folder: TemporaryFolder;
  let child: NetworkProcess;
  beforeAll(async () => {
    folder = await temporaryFolder();
    child = new NetworkProcess();
  });
  afterAll(async () => {
    await child.close();
    await folder.remove();
  });
  return {
    get folder() {
      return folder.path;
    },
    get child() {
      return child;
    },
  };
}
