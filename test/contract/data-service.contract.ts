import { describe, expect, it } from 'vitest';
import type { DataServiceSubject } from './data-service.scene.js';
import { sceneFor } from './data-service.scene.js';
import { entriesContract } from './entries.contract.js';
import { keysContract } from './keys.contract.js';
import { lifecycleContract } from './lifecycle.contract.js';
import { replicableContract } from './replicable.contract.js';
import { sharedContract } from './shared.contract.js';
import { valuesContract } from './values.contract.js';
import { versionsContract } from './versions.contract.js';

/** What every backend promises. */
export function dataServiceContract(subject: DataServiceSubject): void {
  describe(`DataService: ${subject.name}`, () => {
    const scene = sceneFor(subject);

    keysContract(scene);
    valuesContract(scene);
    entriesContract(scene);
    versionsContract(scene);
    lifecycleContract(scene, subject);
    if (subject.share) sharedContract(scene, subject.share);
    if (subject.replicable) replicableContract(scene);

    it('answers a ping', async () => {
      await expect(scene.data.ping()).resolves.toBeUndefined();
    });
  });
}
