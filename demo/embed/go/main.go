// Names the sign in a picture of 28 by 28 bytes of ink.
//
//	go run . [-interpreter] digits.wasm three.gray
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

func read(path string) []byte {
	bytes, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return bytes
}

func main() {
	log.SetFlags(0)
	interpreter := flag.Bool("interpreter", false, "as where wazero has no compiler, and without SIMD")
	flag.Parse()
	config := wazero.NewRuntimeConfig()
	if *interpreter {
		config = wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2 &^ api.CoreFeatureSIMD)
	}
	ctx := context.Background()
	module, err := wazero.NewRuntimeWithConfig(ctx, config).Instantiate(ctx, read(flag.Arg(0)))
	if err != nil {
		log.Fatal(err)
	}
	memory := module.Memory()
	call := func(name string, arguments ...uint64) uint64 {
		results, err := module.ExportedFunction(name).Call(ctx, arguments...)
		if err != nil {
			log.Fatal(err)
		}
		return results[0]
	}
	// Failures are null pointers and negative numbers; nm_last_error has the sentence.
	check := func(ok bool) {
		if ok {
			return
		}
		text, _ := memory.Read(uint32(call("nm_last_error")), 1000)
		for i, byte := range text {
			if byte == 0 {
				log.Fatal(string(text[:i]))
			}
		}
	}

	ink := read(flag.Arg(1))
	if len(ink) != 784 {
		log.Fatalf("The picture has %d bytes, not 784.", len(ink))
	}
	session := module.ExportedGlobal("nm_session").Get()
	// One float32 tensor of the shape [1, 1, 28, 28]; its dimensions are 64-bit numbers.
	dims := uint32(call("nm_alloc", 32))
	for i, size := range []uint64{1, 1, 28, 28} {
		memory.WriteUint64Le(dims+uint32(i)*8, size)
	}
	image := uint32(call("nm_input", session, 0, 1, uint64(dims), 4))
	check(image != 0)
	for i, byte := range ink {
		memory.WriteFloat32Le(image+uint32(i)*4, float32(byte)/255)
	}
	check(api.DecodeI32(call("nm_run", session)) == 0)

	// nm_tensor: type, rank, address of the dimensions, address of the elements, bytes.
	tensor := uint32(call("nm_alloc", 20))
	check(api.DecodeI32(call("nm_value_tensor", call("nm_output", session, 0), 0, uint64(tensor))) == 0)
	data, _ := memory.ReadUint32Le(tensor + 12)
	best, probability := 0, float32(0)
	for i := range signs {
		if value, _ := memory.ReadFloat32Le(data + uint32(i)*4); value > probability {
			best, probability = i, value
		}
	}
	fmt.Printf("%c %.4f\n", signs[best], probability)
}
