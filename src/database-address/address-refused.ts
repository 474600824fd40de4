/** The address cannot be used; the message says why, without any password. */
export class AddressRefused extends Error {}
