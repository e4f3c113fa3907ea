// A client component: reads it again in the page.
'use client';
import { useEffect } from 'react';
import { classifyInAllModes, modes } from '../classify.js';

export default function Reader({ onServer }) {
  useEffect(() => {
    async function read() {
      const ink = await (await fetch('digit.json')).json();
      globalThis.results = { ...onServer, ...(await classifyInAllModes('handwriting.onnx', ink, modes)) };
    }
    read();
  }, [onServer]);
  return <p>Reads a digit</p>;
}
