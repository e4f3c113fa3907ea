//! Names the sign in a picture of 28 by 28 bytes of ink.
//!
//!     cargo run --release digits.wasm ../three.gray
use std::{env, fs, process::exit};
use wasmtime::{Engine, Instance, Memory, Module, Result, Store, Val};

const SIGNS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct Bundle {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Bundle {
    fn open(path: &str) -> Result<Self> {
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::from_file(&engine, path)?, &[])?;
        let memory = instance.get_memory(&mut store, "memory").expect("a bundle has a memory");
        Ok(Bundle { store, instance, memory })
    }

    fn call(&mut self, name: &str, arguments: &[u32]) -> Result<i32> {
        let function = self.instance.get_func(&mut self.store, name).expect("a function of engine/c_api.h");
        let arguments: Vec<Val> = arguments.iter().map(|&bits| Val::I32(bits as i32)).collect();
        let mut result = [Val::I32(0)];
        function.call(&mut self.store, &arguments, &mut result)?;
        Ok(result[0].unwrap_i32())
    }

    /// Failures are null pointers and negative numbers; nm_last_error has the sentence.
    fn check(&mut self, ok: bool) -> Result<()> {
        if !ok {
            let at = self.call("nm_last_error", &[])? as usize;
            let text = self.memory.data(&self.store)[at..].split(|&byte| byte == 0).next().unwrap_or_default();
            eprintln!("{}", String::from_utf8_lossy(text));
            exit(1);
        }
        Ok(())
    }

    fn word(&self, at: u32) -> u32 {
        let bytes = &self.memory.data(&self.store)[at as usize..][..4];
        u32::from_le_bytes(bytes.try_into().expect("four bytes"))
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let [_, module, picture] = arguments.as_slice() else {
        eprintln!("usage: classify digits.wasm three.gray");
        exit(2);
    };
    let ink = fs::read(picture)?;
    if ink.len() != 784 {
        eprintln!("The picture has {} bytes, not 784.", ink.len());
        exit(1);
    }
    let mut bundle = Bundle::open(module)?;
    let session = bundle.instance.get_global(&mut bundle.store, "nm_session").expect("a bundle has a session");
    let session = session.get(&mut bundle.store).unwrap_i32() as u32;

    // One float32 tensor of the shape [1, 1, 28, 28]; its dimensions are 64-bit numbers.
    let dims = bundle.call("nm_alloc", &[32])? as u32;
    let sizes = [1u64, 1, 28, 28].map(u64::to_le_bytes).concat();
    bundle.memory.write(&mut bundle.store, dims as usize, &sizes)?;
    let image = bundle.call("nm_input", &[session, 0, 1, dims, 4])? as u32;
    bundle.check(image != 0)?;
    let values: Vec<u8> = ink.iter().flat_map(|&byte| (f32::from(byte) / 255.0).to_le_bytes()).collect();
    bundle.memory.write(&mut bundle.store, image as usize, &values)?;
    let status = bundle.call("nm_run", &[session])?;
    bundle.check(status == 0)?;

    // nm_tensor: type, rank, address of the dimensions, address of the elements, bytes.
    let tensor = bundle.call("nm_alloc", &[20])? as u32;
    let output = bundle.call("nm_output", &[session, 0])? as u32;
    let status = bundle.call("nm_value_tensor", &[output, 0, tensor])?;
    bundle.check(status == 0)?;
    let data = bundle.word(tensor + 12);
    let probabilities = (0..).zip(SIGNS).map(|(i, &sign)| (f32::from_bits(bundle.word(data + 4 * i)), sign));
    let (probability, sign) = probabilities.max_by(|a, b| a.0.total_cmp(&b.0)).expect("36 signs");
    println!("{} {probability:.4}", sign as char);
    Ok(())
}
