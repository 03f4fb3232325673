// Why the store gave no answer, by what the page can do about it.

/**
 * kind:
 *   unreachable     the store, or a part of it, is away: try again later
 *   too-many        we ask too often: try again after `retryAfterS`
 *   session-ended   nobody is logged in any more: refresh, or log in again
 *   not-allowed     the account may not see this
 *   refused         anything else: the request itself, or a fault of the store
 */
export class StoreError extends Error {
  constructor(kind, message, { retryAfterS = null } = {}) {
    super(message);
    this.name = 'StoreError';
    this.kind = kind;
    this.retryAfterS = retryAfterS;
  }
}

/** Tell whether trying again, without anybody doing anything, can help. */
export const mayPass = (error) => error.kind === 'unreachable' || error.kind === 'too-many';

const KINDS = {
  UNAUTHENTICATED: 'session-ended',
  FORBIDDEN: 'not-allowed',
  RATE_LIMITED: 'too-many',
  SERVICE_UNAVAILABLE: 'unreachable',
  SUBREQUEST_HTTP_ERROR: 'unreachable',
  SUBREQUEST_MALFORMED_RESPONSE: 'unreachable',
  UNAVAILABLE: 'unreachable',
};

/** Return the errors of a GraphQL response as one; the first that has a meaning decides. */
export function readErrors(errors, options) {
  const known = errors.find((error) => error.extensions?.code in KINDS) ?? errors[0];
  return new StoreError(KINDS[known?.extensions?.code] ?? 'refused', known?.message ?? 'The store gave no reason.', options);
}
