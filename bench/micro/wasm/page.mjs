// Runs in the page: `measure` gives the lines that the program prints.
window.measure = (names) =>
  new Promise((resolve, reject) => {
    const source = `
      const lines = [];
      self.Module = {
        arguments: ${JSON.stringify(names)},
        locateFile: (name) => '${location.origin}/' + name,
        print: (line) => lines.push(line),
        onExit: () => postMessage(lines),
      };
      importScripts('${location.origin}/nm_micro.js');`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
