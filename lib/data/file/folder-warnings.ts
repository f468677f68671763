import type { Logger } from '@nestjs/common';
import type { FileDataReport } from './file-report.js';

/** Warns of a folder that another machine serves. */
export function warnOfNetwork(folder: string, network: string | undefined, logger: Logger): void {
  if (network === undefined) return;
  logger.warn(
    `${folder} lies on ${network}, where a machine may see the files of another one late: an owner that was taken for ` +
      'dead could acknowledge what its successor does not know. Expected a disk of this machine, or, on NFS, the mount ' +
      'options noac and lookupcache=none',
  );
}

/** Warns of what was found. */
export function warnOfDamage({ damage, tornTail }: FileDataReport, logger: Logger): void {
  if (tornTail !== undefined) {
    const { file, offset, bytes } = tornTail;
    logger.warn(`${file}: left out ${bytes} bytes at offset ${offset}, of a commit that was never finished`);
  }
  for (const { file, offset, problem } of damage) {
    logger.warn(`${file} is damaged at offset ${offset}: ${problem}; what is whole was kept`);
  }
}
