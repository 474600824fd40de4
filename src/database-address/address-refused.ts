/** The address cannot be used; the message says why, and holds no password. */
export class AddressRefused extends Error {}
