/** Return a message of the store, which may begin with a small letter and end without a full stop, as a sentence. */
export const asSentence = (message) =>
  `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`;
