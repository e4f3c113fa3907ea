// ONNX's messages as plain objects, whose fields have the names of the published schema.
import protobuf from 'protobufjs/light.js';
import schema from './schema.json' with { type: 'json' };

const messages = protobuf.Root.fromJSON(schema as protobuf.INamespace).lookup('onnx') as protobuf.Namespace;

/** The bytes of a message. Enumerations may be given by name, integers of 64 bits as text. */
export function encoded(name: string, message: object): Uint8Array<ArrayBuffer> {
  const type = messages.lookupType(name);
  // A copy: in Node these bytes are a Buffer, which is no plain array when it is printed or compared.
  return new Uint8Array(type.encode(type.fromObject(message)).finish());
}

/** What is in the bytes: lists, empty ones too, and the single fields that are there. Integers of 64 bits are text. */
export function decoded<Message>(name: string, bytes: Uint8Array): Message {
  const type = messages.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: String, arrays: true }) as Message;
}

/** The number of a constant: `numberOf('TensorProto.DataType', 'FLOAT')`. */
export function numberOf(enumeration: string, constant: string): number {
  const number = messages.lookupEnum(enumeration).values[constant];
  if (number === undefined) throw new Error(`ONNX's schema has no constant ${enumeration}.${constant}.`);
  return number;
}

/** Its name, undefined for a number that the schema does not have. */
export function nameOf(enumeration: string, number: number): string | undefined {
  return messages.lookupEnum(enumeration).valuesById[number];
}
