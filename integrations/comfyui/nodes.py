"""The nodes. Lists of models come from the service, and never keep ComfyUI from starting."""

import comfy.model_management
import comfy.utils
import numpy as np
import torch
from comfy_api.latest import ComfyExtension, io

from . import png16
from .service import DEFAULT_URL, Service, ServiceError

_AUTO = "AUTO"
_NO_LIST = "(hiresfix: "  # so begins what is listed where there is no list: why
_MOST_IMAGES = 64  # of one job
_STEPS = 1000  # of the progress bar
_RESTORATIONS = ["old-photo", "denoise", "deblur", "face", "colorize", "denoise,face", "denoise,face,colorize"]


def _upscalers():
    try:
        return [_AUTO, *Service(DEFAULT_URL).upscalers()]
    except ServiceError as error:
        return [f"({error})"]


def _common_inputs():
    return [
        io.Mask.Input("mask", optional=True, tooltip="Transparency, as Load Image gives it; it is processed and returned"),
        io.Combo.Input("bits", options=["16", "8"], default="16", tooltip="Of a sample on the way; 16 keeps fine gradients"),
        io.String.Input("server", default=DEFAULT_URL, tooltip="The service; its key, if it wants one, in HIRESFIX_API_KEY"),
    ]


def _outputs():
    return [io.Image.Output(display_name="image"), io.Mask.Output(display_name="mask")]


class HiresFixUpscale(io.ComfyNode):
    """Enlarges a batch of images."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="HiresFixUpscale",
            display_name="Upscale (hiresfix)",
            category="image/upscaling",
            description="Enlarge images on another machine, by any ESRGAN-family model of a hiresfix service.",
            search_aliases=["remote upscale", "Real-ESRGAN", "hires fix"],
            inputs=[
                io.Image.Input("image"),
                io.Combo.Input("upscaler", options=_upscalers(), tooltip="Upscalers of the service at HIRESFIX_URL"),
                io.Float.Input("scale", default=0.0, min=0.0, max=16.0, step=0.05, tooltip="0: the model's own"),
                io.Boolean.Input("restore_faces", default=False),
                *_common_inputs(),
            ],
            outputs=_outputs(),
        )

    @classmethod
    def validate_inputs(cls, upscaler):
        """The list may be older than the service, or from a time when there was none: the service itself decides."""
        return f"{upscaler}: refresh when that is mended" if upscaler.startswith(_NO_LIST) else True

    @classmethod
    def execute(cls, image, upscaler, scale=0.0, restore_faces=False, mask=None, bits="16", server=DEFAULT_URL):
        fields = {"upscaler": upscaler, "is_face_enhance": "true" if restore_faces else "false"}
        if scale > 0:
            fields["scale"] = round(scale, 4)
        return io.NodeOutput(*_processed("upscale", image, fields, mask=mask, bits=bits, server=server))


class HiresFixRestore(io.ComfyNode):
    """Repairs a batch of images at their own size."""

    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="HiresFixRestore",
            display_name="Restore (hiresfix)",
            category="image/postprocessing",
            description="Repair photographs on another machine: noise, blur, faces, lost colours.",
            search_aliases=["old photo", "denoise", "deblur", "colorize", "CodeFormer", "GFPGAN"],
            inputs=[
                io.Image.Input("image"),
                io.Combo.Input("steps", options=_RESTORATIONS, default="old-photo"),
                io.Float.Input("fidelity", default=0.5, min=0.0, max=1.0, step=0.05, tooltip="CodeFormer: 1 is most like the face given"),
                *_common_inputs(),
            ],
            outputs=_outputs(),
        )

    @classmethod
    def execute(cls, image, steps, fidelity=0.5, mask=None, bits="16", server=DEFAULT_URL):
        fields = {"steps": steps, "fidelity": round(fidelity, 4)}
        return io.NodeOutput(*_processed("restore", image, fields, mask=mask, bits=bits, server=server))


class HiresFixExtension(ComfyExtension):
    async def get_node_list(self):
        return [HiresFixUpscale, HiresFixRestore]


async def comfy_entrypoint():
    return HiresFixExtension()


def _processed(method, images, fields, *, mask, bits, server):
    """The images and their masks as the service makes them; images keep the number of their channels."""
    service = Service(server)
    files = [png16.encode(_samples(_with_alpha(image, mask, index), bits)) for index, image in enumerate(images)]
    bar = comfy.utils.ProgressBar(_STEPS)
    results = []
    for start in range(0, len(files), _MOST_IMAGES):
        chunk = files[start : start + _MOST_IMAGES]

        def follow(progress, start=start, count=len(chunk)):
            comfy.model_management.throw_exception_if_processing_interrupted()
            bar.update_absolute(int(_STEPS * (start + progress * count) / len(files)), _STEPS)

        results += service.run(method, chunk, fields, follow)
    made = torch.stack([_tensor(file) for file in results])
    has_alpha = images.shape[-1] == 4
    return made if has_alpha else made[..., :3], 1.0 - made[..., 3]


def _with_alpha(image, mask, index):
    """An image [height, width, channels] with the transparency that a mask says, where there is one."""
    if mask is None:
        return image
    masks = mask if mask.dim() == 3 else mask[None]
    alpha = 1.0 - masks[index % len(masks)].to(image)
    if alpha.shape != image.shape[:2]:
        alpha = torch.nn.functional.interpolate(alpha[None, None], image.shape[:2], mode="bilinear")[0, 0]
    return torch.cat([image[..., :3], alpha[..., None]], dim=-1)


def _samples(image, bits):
    kind, most = (np.uint16, 65535) if bits == "16" else (np.uint8, 255)
    return np.rint(image.detach().cpu().float().clamp(0, 1).numpy().astype(np.float64) * most).astype(kind)


def _tensor(file):
    """[height, width, 4] from 0 to 1; a picture without transparency is opaque, a gray one has its gray three times."""
    pixels = png16.decode(file)
    values = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    channels = values.shape[-1]
    colors = values[..., :3] if channels >= 3 else np.repeat(values[..., :1], 3, axis=-1)
    alpha = values[..., -1:] if channels in (2, 4) else np.ones_like(values[..., :1])
    return torch.from_numpy(np.concatenate([colors, alpha], axis=-1))
