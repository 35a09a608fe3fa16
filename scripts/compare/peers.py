"""One LoRA module with random weights through EZKL, ZKLoRA 0.1.2 or ZKLoRA 0.3.0, every stage a process of its own.

    VENV/bin/python peers.py {ezkl,zklora012,zklora030} --work DIR
        [--din 128] [--dout 384] [--rank 4] [--tokens 1]

Prints one JSON object per stage on stdout. README.md says what each stage includes. Extra options for EZKL:
--weights private|polycommit|fixed and --scale BITS; for ZKLoRA 0.1.2: --logrows N (its own choice is 20).
"""

import argparse
import asyncio
import inspect
import json
import os
import sys
import time
from pathlib import Path

from guard import guarded

STAGES = {
    "ezkl": ["model", "settings", "srs", "setup", "witness", "prove", "verify", "contract"],
    "zklora012": ["export", "generate", "verify"],
    "zklora030": ["prove", "verify"],
}


def say(**figures) -> None:
    """Reports figures of the running stage to the parent through stdout."""
    print("FIGURES " + json.dumps(figures), flush=True)


def timed(work):
    """Calls work; returns ({seconds: wall, cpuSeconds: of all threads}, result)."""
    start, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {
        "seconds": round(time.perf_counter() - start, 3),
        "cpuSeconds": round(time.process_time() - cpu, 3),
    }, result


def size(path) -> int:
    return os.path.getsize(path)


def random_module(args):
    """Random weights as after training and activations as after a layer norm: A [r, din], B [dout, r], X [T, din]."""
    import numpy as np

    rng = np.random.default_rng(7)
    a = (rng.standard_normal((args.rank, args.din)) * 0.02).astype(np.float32)
    b = (rng.standard_normal((args.dout, args.rank)) * 0.02).astype(np.float32)
    x = rng.standard_normal((args.tokens, args.din)).astype(np.float32)
    return a, b, x


async def finished(value):
    """EZKL's calls are plain functions in some versions and coroutines in others."""
    return await value if inspect.isawaitable(value) else value


def call(function, **arguments):
    """Calls an EZKL function inside an event loop, as its asynchronous versions require."""

    async def inside():
        return await finished(function(**arguments))

    return asyncio.run(inside())


# --- EZKL: the module's two matrix products as an ONNX model -----------------------------------------------------


def ezkl_model(args) -> None:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    a, b, x = random_module(args)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "A"], ["h"]), helper.make_node("MatMul", ["h", "B"], ["y"])],
        "lora",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [args.tokens, args.din])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [args.tokens, args.dout])],
        [
            numpy_helper.from_array(np.ascontiguousarray(a.T), "A"),
            numpy_helper.from_array(np.ascontiguousarray(b.T), "B"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, "model.onnx")
    Path("input.json").write_text(json.dumps({"input_data": [x.flatten().tolist()]}))


def ezkl_settings(args) -> None:
    import ezkl

    run_args = ezkl.PyRunArgs()
    run_args.input_visibility = "public"
    run_args.output_visibility = "public"
    run_args.param_visibility = args.weights
    run_args.input_scale = args.scale
    run_args.param_scale = args.scale
    ezkl.gen_settings("model.onnx", "settings.json", py_run_args=run_args)
    call(
        ezkl.calibrate_settings,
        data="input.json",
        model="model.onnx",
        settings="settings.json",
        target="resources",
        scales=[args.scale],
    )
    ezkl.compile_circuit("model.onnx", "model.ezkl", "settings.json")
    settings = json.loads(Path("settings.json").read_text())
    say(logrows=settings["run_args"]["logrows"], rows=settings["num_rows"], version=ezkl.__version__)


def ezkl_srs(args) -> None:
    import ezkl

    logrows = json.loads(Path("settings.json").read_text())["run_args"]["logrows"]
    ezkl.gen_srs("kzg.srs", logrows)
    say(srsBytes=size("kzg.srs"))


def ezkl_setup(args) -> None:
    import ezkl

    witness = {}
    if args.weights == "polycommit":
        ezkl_witness(args)
        witness = {"witness_path": "witness.json"}
    taken, _ = timed(lambda: ezkl.setup("model.ezkl", "vk", "pk", "kzg.srs", **witness))
    say(setup=taken, provingKeyBytes=size("pk"), verifyingKeyBytes=size("vk"))


def ezkl_witness(args) -> None:
    import ezkl

    keys = {"vk_path": "vk", "srs_path": "kzg.srs"} if os.path.exists("vk") else {}
    if args.weights == "polycommit" and not keys:
        keys = {"srs_path": "kzg.srs"}
    call(ezkl.gen_witness, data="input.json", model="model.ezkl", output="witness.json", **keys)


def ezkl_prove(args) -> None:
    import ezkl

    taken, _ = timed(
        lambda: ezkl.prove(
            witness="witness.json", model="model.ezkl", pk_path="pk", proof_path="proof.json", srs_path="kzg.srs"
        )
    )
    proof = json.loads(Path("proof.json").read_text())
    say(
        prove=taken,
        proofFileBytes=size("proof.json"),
        proofBytes=len(proof["hex_proof"].removeprefix("0x")) // 2,
        publicValues=sum(len(values) for values in proof["instances"]),
    )


def ezkl_verify(args) -> None:
    import ezkl

    taken, valid = timed(lambda: ezkl.verify("proof.json", "settings.json", "vk", "kzg.srs"))
    if not valid:
        sys.exit("the proof does not verify")
    say(verify=taken)


def ezkl_contract(args) -> None:
    import ezkl

    try:
        call(
            ezkl.create_evm_verifier,
            vk_path="vk",
            settings_path="settings.json",
            sol_code_path="Verifier.sol",
            abi_path="Verifier.abi",
            srs_path="kzg.srs",
        )
    except RuntimeError as error:
        # EZKL downloads a compiler after it has written the source; any other compiler can take it from there
        if not os.path.exists("Verifier.sol"):
            raise
        print(error, file=sys.stderr)
    ezkl.encode_evm_calldata("proof.json", "calldata.bytes")
    say(solidityBytes=size("Verifier.sol"), calldataBytes=size("calldata.bytes"))


# --- ZKLoRA 0.1.2: its own exporter and its own proof generator, which call EZKL ------------------------------------


def zklora012_export(args) -> None:
    import torch
    from zklora.mpi_lora_onnx_exporter import export_lora_onnx_json_mpi

    a, b, x = random_module(args)
    module = torch.nn.Module()
    module.lora_A = torch.nn.ModuleDict({"default": torch.nn.Linear(args.din, args.rank, bias=False)})
    module.lora_B = torch.nn.ModuleDict({"default": torch.nn.Linear(args.rank, args.dout, bias=False)})
    module.lora_A["default"].weight.data = torch.from_numpy(a)
    module.lora_B["default"].weight.data = torch.from_numpy(b)
    export_lora_onnx_json_mpi("layer.c_attn", x[None], module, "artifacts", verbose=True)
    if not os.path.exists("artifacts/layer_c_attn.onnx"):
        sys.exit("ZKLoRA's exporter wrote no model")


def zklora012_generate(args) -> None:
    import ezkl
    from zklora import zk_proof_generator

    # generate_proofs deletes the proving key, and has logrows = 20 in its code
    remove = os.remove
    os.remove = lambda path: (say(provingKeyBytes=size(path)), remove(path))
    if args.logrows != 20:
        keep_logrows(ezkl, args.logrows)
    report = asyncio.run(zk_proof_generator.generate_proofs("artifacts", "artifacts", "artifacts", verbose=True))
    if report is None or report[4] != 1:
        sys.exit("ZKLoRA generated no proof")
    setup, witness, prove, _, _ = report
    settings = json.loads(Path("artifacts/layer_c_attn_settings.json").read_text())
    proof = json.loads(Path("artifacts/layer_c_attn.pf").read_text())
    say(
        setupSeconds=round(setup, 2),
        witnessSeconds=round(witness, 2),
        proveSeconds=round(prove, 2),
        proofFileBytes=size("artifacts/layer_c_attn.pf"),
        proofBytes=len(proof["hex_proof"].removeprefix("0x")) // 2,
        verifyingKeyBytes=size("artifacts/layer_c_attn.vk"),
        srsBytes=size("artifacts/kzg.srs"),
        logrows=settings["run_args"]["logrows"],
        rows=settings["num_rows"],
        version=ezkl.__version__,
    )


def keep_logrows(ezkl, logrows) -> None:
    """Makes EZKL's settings, and ZKLoRA's key after them, use logrows instead of the 20 in ZKLoRA's code."""
    gen_settings = ezkl.gen_settings

    def with_logrows(model, settings, py_run_args):
        py_run_args.logrows = logrows
        return gen_settings(model, settings, py_run_args=py_run_args)

    ezkl.gen_settings = with_logrows


def zklora012_verify(args) -> None:
    from zklora import batch_verify_proofs

    seconds, count = batch_verify_proofs("artifacts", verbose=True)
    if count != 1:
        sys.exit("ZKLoRA verified no proof")
    say(verifySeconds=round(seconds, 3))


# --- ZKLoRA 0.3.0: one native Halo2 proof per token and module ------------------------------------------------------


def zklora030_witnesses(args):
    """Returns the module's adapter manifest entry and one invocation witness per token."""
    from zklora.proof_contract import (
        FixedPointConfig,
        InvocationWitness,
        adapter_manifest_entry,
        compute_delta_quantized_rows,
        quantize_nested,
        quantize_rows,
    )

    fixed = FixedPointConfig()
    a, b, x = random_module(args)
    a, b = quantize_nested(a.tolist(), fixed), quantize_nested(b.tolist(), fixed)
    rows = quantize_rows(x.tolist(), fixed)
    deltas = compute_delta_quantized_rows(a, b, rows, 2, 1, fixed)
    entry = adapter_manifest_entry("layer.c_attn", a, b, 2, 1, fixed)
    witnesses = [
        InvocationWitness(
            session_id="compare",
            module_name="layer.c_attn",
            invocation_index=index,
            input_shape=[args.din],
            output_shape=[args.dout],
            x=row,
            delta=delta,
            a=a,
            b=b,
            scaling_num=2,
            scaling_den=1,
            fixed_point=fixed,
        )
        for index, (row, delta) in enumerate(zip(rows, deltas))
    ]
    return entry, witnesses


def zklora030_prove(args) -> None:
    from zklora import generate_proofs
    from zklora.proof_contract import statement_from_witness, transcript_entry_from_statement, write_transcript

    taken, (entry, witnesses) = timed(lambda: zklora030_witnesses(args))
    say(quantiseAndCommit=taken)
    Path("adapters.json").write_text(json.dumps({"adapters": [entry]}))
    write_transcript("transcript.json", [transcript_entry_from_statement(statement_from_witness(w)) for w in witnesses])
    first, _ = timed(lambda: generate_proofs(witnesses[:1], "artifacts"))
    proof = next(Path("artifacts").glob("*.proof"))
    statement = next(Path("artifacts").glob("*.statement.json"))
    say(firstProofWithKeys=first, proofBytes=size(proof), statementBytes=size(statement))
    if len(witnesses) > 1:
        rest, _ = timed(lambda: generate_proofs(witnesses[1:], "artifacts"))
        say(furtherProofs=len(witnesses) - 1, furtherTogether=rest)


def zklora030_verify(args) -> None:
    from zklora import batch_verify_proofs

    def verify():
        return batch_verify_proofs("artifacts", "transcript.json", "adapters.json")[1]

    cold, count = timed(verify)
    warm, _ = timed(verify)
    if count != args.tokens:
        sys.exit(f"ZKLoRA verified {count} proofs, not {args.tokens}")
    say(proofs=count, verifyTogetherWithKeys=cold, verifyTogetherAgain=warm)


def run_stage(args) -> None:
    globals()[f"{args.peer}_{args.stage}"](args)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=STAGES)
    parser.add_argument("--work", required=True, help="an empty directory, gets large files")
    parser.add_argument("--din", type=int, default=128)
    parser.add_argument("--dout", type=int, default=384)
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=1)
    parser.add_argument("--weights", choices=["private", "polycommit", "fixed"], default="private")
    parser.add_argument("--scale", type=int, default=7)
    parser.add_argument("--logrows", type=int, default=20)
    parser.add_argument("--limit-gb", type=float, default=13)
    parser.add_argument("--machine-gb", type=float, default=17)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--only", help="stages to run, joined by commas")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    if args.stage:
        os.chdir(args.work)
        run_stage(args)
        return
    for stage in args.only.split(",") if args.only else STAGES[args.peer]:
        command = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--stage", stage]
        result = guarded(command, args.limit_gb, args.machine_gb, args.minutes)
        print(json.dumps({"peer": args.peer, "stage": stage, **result}), flush=True)
        if result["outcome"] != "ok":
            sys.exit(1)


if __name__ == "__main__":
    main()
