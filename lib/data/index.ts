export type { DataCallOptions, DataEntriesOptions, DataEntry, DataPutOptions } from './port/data-options.js';
export type { DataFactoryRecipe, DataRecipe } from './port/data-recipe.js';
export type { DatabaseDataOptions } from './database/database-options.js';
export type { DataErrorCode } from './port/errors.js';
export type {
  ConflictEvent,
  FailoverEvent,
  FailoverNodeStatus,
  FailoverStatus,
  MirrorOverflowEvent,
  NodeDownEvent,
  NodeUpEvent,
  QueuedEvent,
  RejectedEvent,
  ReplayedEvent,
} from './failover/failover-event.js';
export type {
  FailoverBreakerOptions,
  FailoverDataOptions,
  FailoverMirror,
  FailoverNode,
  FailoverQueueOptions,
  FailoverReplica,
  FailoverStandby,
} from './failover/failover-options.js';
export type { FileDataOptions } from './file/file-options.js';
export type {
  FileBackupOptions,
  FileDamage,
  FileDataProgress,
  FileDataReport,
  FileProgressOptions,
  FileTornTail,
} from './file/file-report.js';
export type { DataApplyOptions, DataWrite } from './port/replicable-data.service.js';

export { DataService } from './port/data.service.js';
export { databaseData } from './database/database-data.js';
export { DatabaseDataService } from './database/database-data.service.js';
export {
  DataAccessException,
  DataClosedException,
  DataConflictException,
  DataDamagedException,
  DataDriverMissingException,
  DataException,
  DataKeyException,
  DataOwnedException,
  DataReadOnlyException,
  DataRejectedException,
  DataUnavailableException,
  DataValueException,
  DataWriteException,
} from './port/errors.js';
export { failoverData } from './failover/failover-data.js';
export { FailoverDataService } from './failover/failover-data.service.js';
export { fileData } from './file/file-data.js';
export { FileDataService } from './file/file-data.service.js';
export { getDataServiceToken, InjectDataService } from './port/inject-data-service.decorator.js';
export { MAX_KEY_BYTES } from './port/key.js';
export { ReplicableDataService } from './port/replicable-data.service.js';
export { MAX_VALUE_BYTES } from './port/value.js';
