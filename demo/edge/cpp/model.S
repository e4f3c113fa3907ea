# The packed model, in NM_MODEL, as the array `digits_model` of `digits_model_size` bytes. It can be written over.
    .section .data.digits_model,"",@
    .globl  digits_model
    .type   digits_model,@object
    .p2align 4
digits_model:
    .incbin NM_MODEL
.Ldigits_model_end:
    .size   digits_model, .Ldigits_model_end-digits_model

    .section .rodata.digits_model_size,"",@
    .globl  digits_model_size
    .type   digits_model_size,@object
    .p2align 2
digits_model_size:
    .int32  .Ldigits_model_end-digits_model
    .size   digits_model_size, 4
