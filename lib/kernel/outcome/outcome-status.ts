import { invoke, propertyOf } from '../../errors/foreign.js';

/** The HTTP status that `error` carries, in the shapes that the clients of the field use; integers 400-599 only. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { status, statusCode, response, $metadata, getStatus, getError } = error as Shape;
  return (
    (getStatus === undefined ? undefined : asStatus(invoke(error, 'getStatus'))) ??
    asStatus(status) ??
    asStatus(statusCode) ??
    (response === undefined ? undefined : (asStatus(response?.status) ?? asStatus(response?.statusCode))) ??
    ($metadata === undefined ? undefined : asStatus($metadata?.httpStatusCode)) ??
    (getError === undefined ? undefined : statusOfRpcError(error))
  );
}

interface Shape {
  status?: unknown;
  statusCode?: unknown;
  response?: { status?: unknown; statusCode?: unknown } | null;
  $metadata?: { httpStatusCode?: unknown } | null;
  getStatus?: unknown;
  getError?: unknown;
}

/** An RpcException holds what was thrown remotely: a status, or an object with one. */
function statusOfRpcError(error: object): number | undefined {
  const inner = invoke(error, 'getError');
  return asStatus(inner) ?? asStatus(propertyOf(inner, 'status')) ?? asStatus(propertyOf(inner, 'statusCode'));
}

function asStatus(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599 ? value : undefined;
}
